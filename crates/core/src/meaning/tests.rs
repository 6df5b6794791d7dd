use super::*;

#[test]
fn targets_of_make_and_scripts_of_packages_are_followed() {
    let makefile = "DB := orders\n\nall: build\n\nbuild:\n\techo hi\n\ndestroy: build\n\t@aws rds delete-db-instance \\\n\t  --db-instance-identifier $(DB)\n\nodd:\n\t$(RUN) x\n";
    let around = Around {
        makefile: Some(makefile.to_owned()),
        scripts: [("db:reset", "prisma migrate reset --force"), ("loop", "npm run loop")]
            .map(|(name, script)| (name.to_owned(), script.to_owned()))
            .into(),
    };
    let actions = |command: &str| {
        let meaning = of_command(command, &around);
        let sure: Vec<String> = meaning.amounts.iter().filter(|a| a.sure).map(|a| a.action.clone()).collect();
        (sure.join("+"), meaning.doubts.is_empty())
    };
    assert_eq!(actions("make destroy"), ("rds:DeleteDBInstance".to_owned(), true));
    assert_eq!(actions("make"), (String::new(), true));
    assert!(!actions("make odd").1 && !actions("make missing").1 && !actions("make -C x destroy").1);
    assert_eq!(actions("npm run db:reset").0, "DROP SCHEMA+DROP TABLE");
    assert_eq!(actions("npm run loop"), (String::new(), true));
    assert!(!actions("npm run other").1);
}

#[test]
fn texts_within_texts_end() {
    let mut text = "ls".to_owned();
    for _ in 0..40 {
        text = format!("sh -c '{}'", text.replace('\'', "'\\''"));
        if text.len() > LONGEST {
            break;
        }
    }
    assert!(!of_command(&text, &Around::default()).harmless());
    let many = "ls;".repeat(20_000);
    assert!(!of_command(&many, &Around::default()).harmless());
}

#[test]
fn what_is_written_and_read_is_told() {
    assert!(of_read().harmless());
    assert_eq!(of_write("infra/terraform.tfstate").amounts.first().unwrap().action, "deleteState");
    assert!(!of_write("src/main.rs").doubts.is_empty());
}
