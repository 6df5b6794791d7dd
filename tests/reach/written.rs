//! Logins at databases in each form in which programs, settings and command lines write them.

use crate::support::{Fake, made_up};

/// File, text (`@` is the password), and the expected `provider:kind`, public id and line.
type Row = (&'static str, &'static str, &'static str, Option<&'static str>, u64);

const ROWS: [Row; 21] = [
    // https://www.postgresql.org/docs/current/libpq-connect.html
    (
        "./a.conf",
        "dsn = host=db.internal.example port=5433 dbname=shop user=app password=@\n",
        "postgres:connection_url",
        Some("postgres://app@db.internal.example:5433"),
        1,
    ),
    (
        "./a.conf",
        "\nDSN=\"host=db.internal.example user=app password='@' dbname=shop\"\n",
        "postgres:connection_url",
        Some("postgres://app@db.internal.example:5432"),
        2,
    ),
    (
        "./a.go",
        "db := open(\"host=db.internal.example user=app password=@ dbname=shop sslmode=disable\")\n",
        "postgres:connection_url",
        Some("postgres://app@db.internal.example:5432"),
        1,
    ),
    (
        "./a.py",
        "connect('dbname=shop user=app password=@ host=db.internal.example')\n",
        "postgres:connection_url",
        Some("postgres://app@db.internal.example:5432"),
        1,
    ),
    // https://www.npgsql.org/doc/connection-string-parameters.html
    (
        "./appsettings.json",
        "{\"ConnectionStrings\": {\"Shop\": \"Host=db.internal.example;Username=app;Password=@;Database=shop\"}}\n",
        "postgres:connection_url",
        Some("postgres://app@db.internal.example:5432"),
        1,
    ),
    (
        "./a.cs",
        "var c = \"Server=db.internal.example;Port=3306;Uid=app;Pwd=@;Database=shop\";\n",
        "mysql:connection_url",
        Some("mysql://app@db.internal.example:3306"),
        1,
    ),
    (
        "./.env",
        "MSSQL=Server=tcp:sql.internal.example,1433;Initial Catalog=shop;User ID=sa;Password=@;Encrypt=True\n",
        "mssql:connection_string",
        None,
        1,
    ),
    (
        "./web.config",
        "<add name=\"Shop\" connectionString=\"Data Source=sql.internal.example;Initial Catalog=shop;User Id=sa;Password=@\" />\n",
        "mssql:connection_string",
        None,
        1,
    ),
    (
        "./a.properties",
        "url=jdbc:sqlserver://sql.internal.example:1433;databaseName=shop;user=sa;password=@;trustServerCertificate=true\n",
        "mssql:connection_string",
        None,
        1,
    ),
    (
        "./a.properties",
        "url=jdbc:postgresql://db.internal.example/shop?user=app&password=@\n",
        "postgres:connection_url",
        Some("postgres://app@db.internal.example:5432"),
        1,
    ),
    // Two engines write it so: neither is named.
    ("./a.ini", "cs = Server=db.internal.example;User ID=app;Password=@\n", "unknown:connection_string", None, 1),
    // https://github.com/StackExchange/StackExchange.Redis/blob/main/docs/Configuration.md
    (
        "./.env",
        "REDIS=cache.internal.example:6380,password=@,ssl=True,abortConnect=False\n",
        "redis:connection_url",
        Some("redis://cache.internal.example:6380"),
        1,
    ),
    // https://github.com/go-sql-driver/mysql#dsn-data-source-name
    (
        "./a.go",
        "sql.Open(\"mysql\", \"app:@@tcp(db.internal.example:3307)/shop?parseTime=true\")\n",
        "mysql:connection_url",
        Some("mysql://app@db.internal.example:3307"),
        1,
    ),
    (
        "./.env",
        "DSN=app:@@tcp(db.internal.example)/shop\n",
        "mysql:connection_url",
        Some("mysql://app@db.internal.example:3306"),
        1,
    ),
    // https://developer.wordpress.org/advanced-administration/wordpress/wp-config/
    ("./wp-config.php", "<?php\ndefine( 'DB_PASSWORD', '@' );\n", "unknown:password", None, 2),
    ("./wp-config.php", "<?php\ndefine(\"DB_PASSWORD\", \"@\");\n", "unknown:password", None, 2),
    // The manuals of the clients.
    (
        "./run.sh",
        "mysql -h db.internal.example -u root -p@ shop\n",
        "mysql:password",
        Some("mysql://root@db.internal.example:3306"),
        1,
    ),
    (
        "./run.sh",
        "\nmysqldump -hdb.internal.example -uroot \\\n  --password='@' shop > dump.sql\n",
        "mysql:password",
        Some("mysql://root@db.internal.example:3306"),
        3,
    ),
    (
        "./run.sh",
        "redis-cli -h cache.internal.example -p 6380 -a @ ping\n",
        "redis:password",
        Some("redis://cache.internal.example:6380"),
        1,
    ),
    (
        "~/.bash_history",
        "PGPASSWORD=@ psql -h db.internal.example -U app -d shop -c 'select 1'\n",
        "postgres:password",
        Some("postgres://app@db.internal.example:5432"),
        1,
    ),
    // https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/
    ("./deploy.yaml", "env:\n- name: SHOP_DB_PASSWORD\n  value: \"@\"\n", "unknown:password", None, 3),
];

#[test]
fn every_way_to_write_a_login_is_found_with_its_server() {
    let mut wrong = Vec::new();
    for (seed, (path, text, kind, id, line)) in (300..).zip(ROWS) {
        let fake = Fake::new();
        let password = format!("{}4x7", made_up(seed, 16));
        fake.write(path, text.replacen('@', &password, 1));
        let found = fake.collect();
        let told = serde_json::to_string(&found).unwrap();
        assert!(!told.contains(&password), "{text}");
        let all: Vec<_> = found
            .credentials
            .items
            .iter()
            .map(|one| (format!("{}:{}", one.provider, one.kind), one.public_id.clone(), one.locations[0].line))
            .collect();
        if all != [(kind.to_owned(), id.map(str::to_owned), Some(line))] {
            wrong.push(format!("{text}  is {all:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_only_looks_like_a_login_is_none() {
    let fake = Fake::new();
    let rows = [
        ("./a.go", "fmt.Sprintf(\"host=%s user=%s password=%s dbname=%s\", a, b, c, d)\n"),
        ("./a.py", "f\"host={host} password={password} dbname={name}\"\n"),
        ("./a.sh", "mysql -u root -p\nmysql -u root -p\"$PW\" shop\nredis-cli -a \"$REDIS\" ping\n"),
        ("./a.md", "Run mysql -uroot -ppassword, or redis-cli -a yourpassword.\n"),
        ("./b.go", "\"user:password@tcp(localhost:3306)/name\"\n"),
        ("./b.sh", "PGPASSWORD=$PW psql -h db.internal.example\nmysql -u root -port 3306 shop\n"),
        ("./c.conf", "cs = Server=db;Password=${DB_PASSWORD};User=app\n"),
        ("./c.php", "define('DB_PASSWORD', 'password_here' );\ndefine('DB_PASSWORD', getenv('DB_PASSWORD'));\n"),
    ];
    for (path, text) in rows {
        fake.write(path, text);
    }
    let found: Vec<_> = found_places(&fake);
    assert!(found.is_empty(), "{found:?}");
}

fn found_places(fake: &Fake) -> Vec<(String, Vec<String>)> {
    crate::support::inventory(&fake.collect())
}
