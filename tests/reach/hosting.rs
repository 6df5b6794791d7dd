//! Stores of hosting and data services, in the same place on every system: more of the planted home (`stores`).

use crate::stores::{Case, case};

/// Each as its tool documents or writes it.
pub(crate) const HOSTING: &[Case] = &[
    // https://rclone.org/s3/ and https://rclone.org/sftp/
    case(
        "~/.config/rclone/rclone.conf",
        "[backup]\ntype = s3\nprovider = AWS\naccess_key_id = AKIAY34FZKBOHXJVA7QE\nsecret_access_key = @1\nendpoint = s3.eu-west-1.example.test\n\n[nas]\ntype = sftp\nhost = nas.example.test\nuser = anna\npass = @2\n",
        &[
            "rclone:remote_login 12 nas.pass | type sftp, host nas.example.test, user anna",
            "aws:access_key 4 backup.access_key_id | type s3, provider AWS, endpoint s3.eu-west-1.example.test",
        ],
    ),
    // https://github.com/confluentinc/cli: pkg/config/config.go
    case(
        "~/.confluent/config.json",
        "{\n  \"credentials\": {\n    \"api-key-XYZ\": {\n      \"api_key_pair\": {\"api_key\": \"ABCDEFGHIJKLMNOP\", \"api_secret\": \"@1\"}\n    }\n  },\n  \"context_states\": {\n    \"login-anna\": {\n      \"auth_token\": \"@2\",\n      \"auth_refresh_token\": \"@3\"\n    }\n  }\n}\n",
        &[
            "confluent:kafka_api_secret 4 credentials.api-key-XYZ.api_key_pair.api_secret",
            "confluent:login 9 context_states.login-anna.auth_token live",
            "confluent:refresh_token 10 context_states.login-anna.auth_refresh_token live",
        ],
    ),
    // https://clickhouse.com/docs/interfaces/cli
    case(
        "~/.clickhouse-client/config.xml",
        "<config>\n  <user>anna</user>\n  <password>@1</password>\n  <connections_credentials>\n    <connection>\n      <name>prod</name>\n      <hostname>ch.example.test</hostname>\n      <password>@2</password>\n    </connection>\n  </connections_credentials>\n</config>\n",
        &[
            "clickhouse:password 3 config.password | user anna",
            "clickhouse:password 8 config.connections_credentials.connection.password | hostname ch.example.test",
        ],
    ),
    // https://docs.snowflake.com/en/developer-guide/snowflake-cli/connecting/configure-connections
    case(
        "~/.snowflake/connections.toml",
        "[prod]\naccount = \"acme-prod\"\nuser = \"anna\"\npassword = \"@1\"\n\n[ci]\naccount = \"acme-ci\"\ntoken = \"@2\"\n",
        &[
            "snowflake:password 4 prod.password | account acme-prod, user anna",
            "snowflake:token 8 ci.token | account acme-ci",
        ],
    ),
    // https://github.com/fastly/cli: pkg/config/config.go
    case(
        "~/.config/fastly/config.toml",
        "config_version = 6\n\n[profile]\n  [profile.anna]\n    default = true\n    email = \"anna@example.test\"\n    token = \"@1\"\n",
        &["fastly:api_token 7 profile.anna.token | email anna@example.test"],
    ),
    // https://github.com/linode/linode-cli/wiki/Configuration
    case(
        "~/.config/linode-cli",
        "[DEFAULT]\ndefault-user = anna\n\n[anna]\ntoken = @h1\nregion = eu-central\n",
        &["linode:token 5 anna.token"],
    ),
    // https://ngrok.com/docs/agent/config/v3
    case(
        "~/.config/ngrok/ngrok.yml",
        "version: 3\nagent:\n  authtoken: @1\n  api_key: @2\n",
        &["ngrok:api_key 4 agent.api_key", "ngrok:auth_token 3 agent.authtoken"],
    ),
    // https://www.scaleway.com/en/docs/scaleway-cli/reference-content/scaleway-configuration-file/
    case(
        "~/.config/scw/config.yaml",
        "access_key: SCWQZ7RL2BTMNC6HD1JS\nsecret_key: @u1\ndefault_project_id: 0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f\n",
        &["scaleway:secret_key 2 secret_key | default project id 0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"],
    ),
    // https://github.com/hetznercloud/cli: internal/state/config
    case(
        "~/.config/hcloud/cli.toml",
        "active_context = \"prod\"\n\n[[contexts]]\n  name = \"prod\"\n  token = \"@1\"\n",
        &["hetzner:api_token 5 contexts.0.token | name prod"],
    ),
    // https://community.exoscale.com/documentation/tools/exoscale-command-line-interface/
    case(
        "~/.config/exoscale/exoscale.toml",
        "defaultaccount = \"acme\"\n\n[[accounts]]\n  name = \"acme\"\n  key = \"EXO1a2b3c4d5e6f7a8b9c0d1e2f\"\n  secret = \"@1\"\n",
        &["exoscale:api_secret 6 accounts.0.secret | name acme"],
    ),
    // https://github.com/ovh/python-ovh
    case(
        "~/.ovh.conf",
        "[default]\nendpoint=ovh-eu\n\n[ovh-eu]\napplication_key=7kbG7Bk7S9Nt7ZSV\napplication_secret=@1\n",
        &["ovh:application_secret 6 ovh-eu.application_secret"],
    ),
    // https://github.com/vultr/vultr-cli
    case("~/.vultr-cli.yaml", "api-key: @1\n", &["vultr:api_key 1 api-key"]),
    // https://github.com/civo/cli
    case(
        "~/.civo.json",
        "{\n  \"apikeys\": {\n    \"anna\": \"@1\"\n  },\n  \"meta\": {\"current_apikey\": \"anna\"}\n}\n",
        &["civo:token 3 apikeys.anna"],
    ),
    // https://www.koyeb.com/docs/build-and-deploy/cli/reference
    case("~/.koyeb.yaml", "organization: acme\ntoken: @1\n", &["koyeb:api_token 2 token | organization acme"]),
    // https://github.com/UpCloudLtd/upcloud-cli
    case("~/.config/upctl.yaml", "username: anna\npassword: @1\n", &["upcloud:password 2 password | username anna"]),
    // https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html
    case(
        "~/.config/openstack/clouds.yaml",
        "clouds:\n  prod:\n    auth:\n      auth_url: https://keystone.example.test:5000\n      username: anna\n      project_name: shop\n      password: @1\n",
        &[
            "openstack:password 7 clouds.prod.auth.password | auth url https://keystone.example.test:5000, username anna, project name shop",
        ],
    ),
    // https://min.io/docs/minio/linux/reference/minio-mc.html
    case(
        "~/.mc/config.json",
        "{\n  \"version\": \"10\",\n  \"aliases\": {\n    \"prod\": {\n      \"url\": \"https://minio.example.test\",\n      \"accessKey\": \"anna-backup\",\n      \"secretKey\": \"@1\"\n    }\n  }\n}\n",
        &["minio:secret_key 7 aliases.prod.secretKey | url https://minio.example.test"],
    ),
    // https://argo-cd.readthedocs.io/en/stable/user-guide/commands/argocd_login/
    case(
        "~/.config/argocd/config",
        "current-context: cd.example.test\nusers:\n- auth-token: @1\n  name: cd.example.test\n  refresh-token: @2\n",
        &[
            "argocd:auth_token 3 users.0.auth-token live | name cd.example.test",
            "argocd:refresh_token 5 users.0.refresh-token live | name cd.example.test",
        ],
    ),
    // https://docs.influxdata.com/influxdb/v2/reference/cli/influx/config/
    case(
        "~/.influxdbv2/configs",
        "[default]\n  url = \"https://influx.example.test\"\n  token = \"@1\"\n  org = \"acme\"\n  active = true\n",
        &["influxdb:token 3 default.token | url https://influx.example.test, org acme"],
    ),
];
