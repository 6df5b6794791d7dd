//! A home with every known store once, as each tool documents it, in the layout of Linux and in that of macOS.
//!
//! Each case names where its form is documented. In the text of a file `@1` to `@9` are secrets of letters and digits,
//! `@b1` is `anna:@1` in Base64, `@j1` a JSON Web Token with the secret as its signature, `@h1` is 40 hexadecimal digits and
//! `@u1` a UUID.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use deadstop_core::fact::{Fact, GapReason, Listed};
use deadstop_core::model::{Credential, Status};

use crate::hosting::HOSTING;
use crate::support::{Fake, hex, inventory, made_up, uuid};

/// A file, and each credential in it as `provider:kind line key`, then `live`, `until DAY` or `ended`, and after `|`
/// what is said of it.
pub(crate) struct Case {
    path: &'static str,
    text: &'static str,
    found: &'static [&'static str],
}

pub(crate) const fn case(path: &'static str, text: &'static str, found: &'static [&'static str]) -> Case {
    Case { path, text, found }
}

/// What lies in the same place on every system.
const BOTH: &[Case] = &[
    // https://docs.aws.amazon.com/sdkref/latest/guide/understanding-sso.html: a token without what renews it.
    case(
        "~/.aws/sso/cache/a1.json",
        "{\"startUrl\": \"https://acme.awsapps.com/start\",\n\"region\": \"eu-west-1\",\n\"accessToken\": \"@1\",\n\"expiresAt\": \"2026-11-23T20:00:00Z\"}\n",
        &[
            "aws:sso_token 3 accessToken ended | every account and role that https://acme.awsapps.com/start lists; ended on 23 Nov 2026 by its own account",
        ],
    ),
    // https://docs.aws.amazon.com/sdkref/latest/guide/feature-login-credentials.html
    case(
        "~/.aws/login/cache/b2.json",
        "{\n  \"accessToken\": {\n    \"accessKeyId\": \"ASIAY34FZKBOHXJVA7QD\",\n    \"secretAccessKey\": \"@1\",\n    \"sessionToken\": \"@2\",\n    \"expiresAt\": \"2026-11-24T05:00:00Z\"\n  },\n  \"refreshToken\": \"@3\"\n}\n",
        &["aws:access_key 3 accessKeyId live until 2026-11-24", "aws:sso_refresh_token 8 refreshToken live"],
    ),
    // https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-role.html
    case(
        "~/.aws/cli/cache/c3.json",
        "{\"Credentials\": {\"AccessKeyId\": \"ASIAQNZGKIQYZ5RL2BTM\", \"SecretAccessKey\": \"@1\", \"SessionToken\": \"@2\", \"Expiration\": \"2026-11-24T07:00:00Z\"}, \"AssumedRoleUser\": {\"Arn\": \"arn:aws:sts::609629065308:assumed-role/ops/s\"}}\n",
        &["aws:access_key 1 AccessKeyId until 2026-11-24 | arn:aws:sts::609629065308:assumed-role/ops/s"],
    ),
    // https://cloud.google.com/storage/docs/boto-gsutil
    case(
        "~/.boto",
        "[Credentials]\ngs_oauth2_refresh_token = @1\n[Boto]\nhttps_validate_certificates = True\n",
        &["google:authorized_user 2 Credentials.gs_oauth2_refresh_token live"],
    ),
    // https://github.com/Azure/azure-cli: core/auth/persistence.py; the cache's schema is that of MSAL.
    case(
        "~/.azure/msal_token_cache.json",
        "{\n  \"AccessToken\": {\n    \"k1\": {\n      \"credential_type\": \"AccessToken\",\n      \"secret\": \"@1\",\n      \"realm\": \"0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f\",\n      \"expires_on\": \"1793000000\"\n    }\n  },\n  \"RefreshToken\": {\n    \"k2\": {\n      \"secret\": \"@2\",\n      \"environment\": \"login.microsoftonline.com\"\n    }\n  }\n}\n",
        &[
            "azure:access_token 5 AccessToken.k1.secret live until 2026-10-26 | realm 0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f",
            "azure:refresh_token 12 RefreshToken.k2.secret live | environment login.microsoftonline.com",
        ],
    ),
    // https://github.com/Azure/azure-cli: core/auth/identity.py.
    case(
        "~/.azure/service_principal_entries.json",
        "[\n  {\n    \"client_id\": \"5e4f3c2d-1b0a-4c3d-8e5f-0a1b2c3d4e5f\",\n    \"tenant\": \"0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f\",\n    \"client_secret\": \"@1\"\n  }\n]\n",
        &["azure:client_secret 5 0.client_secret | tenant 0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"],
    ),
    // https://google.aip.dev/auth/4113
    case(
        "~/.config/gcloud/application_default_credentials.json",
        "{\n  \"account\": \"anna@example.test\",\n  \"client_id\": \"7640.apps.googleusercontent.com\",\n  \"client_secret\": \"d-notasecret\",\n  \"refresh_token\": \"1//0@1\",\n  \"type\": \"authorized_user\"\n}\n",
        &["google:authorized_user 5 refresh_token live | account anna@example.test"],
    ),
    case(
        "~/.config/gcloud/legacy_credentials/anna@example.test/adc.json",
        "{\n  \"client_id\": \"3255.apps.googleusercontent.com\",\n  \"refresh_token\": \"1//0@1\",\n  \"type\": \"authorized_user\"\n}\n",
        &["google:authorized_user 3 refresh_token live"],
    ),
    // https://google.aip.dev/auth/4117
    case(
        "~/.config/gcloud/legacy_credentials/ci@example.test/adc.json",
        "{\n  \"service_account_impersonation_url\": \"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/ci@shop.iam.gserviceaccount.com:generateAccessToken\",\n  \"source_credentials\": {\n    \"client_id\": \"7640.apps.googleusercontent.com\",\n    \"refresh_token\": \"1//0@1\",\n    \"type\": \"authorized_user\"\n  },\n  \"type\": \"impersonated_service_account\"\n}\n",
        &[
            "google:authorized_user 5 source_credentials.refresh_token live | acts as ci@shop.iam.gserviceaccount.com by this file",
        ],
    ),
    // https://github.com/neondatabase/neonctl: src/auth.ts, a token set of openid-client.
    case(
        "~/.config/neonctl/credentials.json",
        "{\n  \"access_token\": \"@1\",\n  \"expires_at\": 1793000000,\n  \"refresh_token\": \"@2\",\n  \"user_id\": \"anna-7\"\n}\n",
        &[
            "neon:oauth_token 2 access_token live until 2026-10-26 | user id anna-7",
            "neon:refresh_token 4 refresh_token live",
        ],
    ),
    // https://github.com/planetscale/cli: internal/config/config.go.
    case("~/.config/planetscale/access-token", "@1", &["planetscale:oauth_token 1 access-token"]),
    // https://github.com/supabase/cli: internal/utils/access_token.go.
    case("~/.supabase/access-token", "sbp_@h1", &["supabase:access_token 1 access-token"]),
    // https://github.com/render-oss/cli: pkg/config/config.go. The refresh token has no name of its own in YAML.
    case(
        "~/.render/cli.yaml",
        "version: 1\nworkspace: tea-1\nworkspace_name: Acme\napi:\n  key: rnd_@1\n  expires_at: 1793000000\n  host: https://api.render.com/v1/\n  refreshtoken: @2\n",
        &[
            "render:cli_token 5 api.key live until 2026-10-26 | workspace name Acme",
            "render:refresh_token 8 api.refreshtoken live | workspace name Acme",
        ],
    ),
    // https://github.com/superfly/flyctl: internal/config/file.go.
    case(
        "~/.fly/config.yml",
        "access_token: fm2_@1@2@3\nmetrics_token: \"\"\nlast_login: 2026-10-01T10:00:00Z\n",
        &["fly:user_token 1 access_token"],
    ),
    // https://github.com/railwayapp/cli: src/config.rs.
    case(
        "~/.railway/config.json",
        "{\n  \"projects\": {},\n  \"user\": {\n    \"token\": null,\n    \"accessToken\": \"@1\",\n    \"refreshToken\": \"@2\",\n    \"tokenExpiresAt\": 1793000000\n  }\n}\n",
        &[
            "railway:oauth_token 5 user.accessToken live until 2026-10-26",
            "railway:refresh_token 6 user.refreshToken live",
        ],
    ),
    // https://docs.npmjs.com/cli/v11/configuring-npm/npmrc
    case(
        "~/.npmrc",
        "; mine\n//registry.npmjs.org/:_authToken=@1\n//npm.acme.example/:username=anna\n//npm.acme.example/:_password=@2\n//env.acme.example/:_authToken=${NPM_TOKEN}\n",
        &["npm:token 2 //registry.npmjs.org/:_authToken", "npm:password 4 //npm.acme.example/:_password"],
    ),
    // https://yarnpkg.com/configuration/yarnrc
    case(
        "~/.yarnrc.yml",
        "npmScopes:\n  acme:\n    npmRegistryServer: \"https://npm.acme.example\"\n    npmAuthToken: \"@1\"\n",
        &["npm:token 4 npmScopes.acme.npmAuthToken | npmRegistryServer https://npm.acme.example"],
    ),
    // https://packaging.python.org/en/latest/specifications/pypirc/
    case(
        "~/.pypirc",
        "[distutils]\nindex-servers =\n    pypi\n    acme\n\n[acme]\nrepository: https://pypi.acme.example/\nusername: anna\npassword: @1\n",
        &["pypi:token 9 acme.password | username anna, repository https://pypi.acme.example/"],
    ),
    // https://pip.pypa.io/en/stable/topics/authentication/
    case(
        "~/.config/pip/pip.conf",
        "[global]\nindex-url = https://anna:@1@pypi.acme.example/simple\n",
        &["unknown:url_login 2 index-url | sent to pypi.acme.example"],
    ),
    // https://doc.rust-lang.org/cargo/reference/config.html#credentials
    case(
        "~/.cargo/credentials.toml",
        "[registry]\ntoken = \"cio@1\"\n\n[registries.acme]\ntoken = \"@2\"\n",
        &["crates_io:token 2 registry.token", "crates_io:token 5 registries.acme.token"],
    ),
    // https://guides.rubygems.org/command-reference/#gem-signin
    case("~/.gem/credentials", "---\n:rubygems_api_key: rubygems_@h1\n", &["rubygems:api_key 2 :rubygems_api_key"]),
    // https://getcomposer.org/doc/articles/authentication-for-private-packages.md
    case(
        "~/.config/composer/auth.json",
        "{\n  \"http-basic\": {\n    \"repo.acme.example\": {\n      \"username\": \"anna\",\n      \"password\": \"@1\"\n    }\n  },\n  \"github-oauth\": {\n    \"github.com\": \"ghp_@2\"\n  },\n  \"bearer\": {\"packages.acme.example\": \"@3\"}\n}\n",
        &[
            "packagist:registry_login 5 http-basic.repo.acme.example.password | username anna",
            "github:oauth_token 9 github-oauth.github.com",
            "packagist:token 11 bearer.packages.acme.example",
        ],
    ),
    // https://learn.microsoft.com/en-us/nuget/reference/nuget-config-file
    case(
        "~/.nuget/NuGet/NuGet.Config",
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<configuration>\n  <packageSourceCredentials>\n    <Acme>\n      <add key=\"Username\" value=\"anna\" />\n      <add key=\"ClearTextPassword\" value=\"@1\" />\n    </Acme>\n  </packageSourceCredentials>\n</configuration>\n",
        &["nuget:password 6 configuration.packageSourceCredentials.Acme.ClearTextPassword | Username anna"],
    ),
    // https://maven.apache.org/settings.html
    case(
        "~/.m2/settings.xml",
        "<settings>\n  <servers>\n    <server>\n      <id>acme</id>\n      <username>anna</username>\n      <password>@1</password>\n    </server>\n    <server>\n      <id>ours</id>\n      <password>${env.OURS}</password>\n    </server>\n  </servers>\n</settings>\n",
        &["maven:password 6 settings.servers.server.0.password | id acme, username anna"],
    ),
    // https://maven.apache.org/guides/mini/guide-encryption.html
    case(
        "~/.m2/settings-security.xml",
        "<settingsSecurity>\n  <master>{@1=}</master>\n</settingsSecurity>\n",
        &["maven:master_password 2 settingsSecurity.master"],
    ),
    // https://docs.gradle.org/current/userguide/declaring_repositories_basics.html
    case(
        "~/.gradle/gradle.properties",
        "org.gradle.jvmargs=-Xmx2g\nmySecureRepositoryUsername=anna\nmySecureRepositoryPassword=@1\n",
        &["gradle:password 3 mySecureRepositoryPassword"],
    ),
    // https://github.com/docker/cli: cli/config/configfile/file.go.
    case(
        "~/.docker/config.json",
        "{\n\t\"auths\": {\n\t\t\"https://index.docker.io/v1/\": {\n\t\t\t\"auth\": \"@b1\"\n\t\t},\n\t\t\"ghcr.io\": {\"identitytoken\": \"@2\"}\n\t},\n\t\"credHelpers\": {\n\t\t\"gcr.io\": \"gcloud\"\n\t}\n}\n",
        &[
            "docker:registry_login 4 auths.https://index.docker.io/v1/.auth | user anna",
            "docker:identity_token 6 auths.ghcr.io.identitytoken live",
            "docker:credential_helper 9 credHelpers.gcr.io | whatever the program gcloud gives; it was not run",
        ],
    ),
    // https://developer.hashicorp.com/terraform/cli/commands/login
    case(
        "~/.terraform.d/credentials.tfrc.json",
        "{\n  \"credentials\": {\n    \"app.terraform.io\": {\n      \"token\": \"@1\"\n    }\n  }\n}\n",
        &["terraform:token 4 credentials.app.terraform.io.token"],
    ),
    // https://developer.hashicorp.com/terraform/cli/config/config-file
    case(
        "~/.terraformrc",
        "plugin_cache_dir = \"$HOME/.terraform.d/plugin-cache\"\ncredentials \"tf.acme.example\" {\n  token = \"@1\"\n}\ncredentials_helper \"vaulted\" {\n  args = []\n}\n",
        &[
            "terraform:server_token 3 credentials.tf.acme.example.token | sent to tf.acme.example",
            "terraform:credential_helper 5 credentials_helper.vaulted | whatever the program terraform-credentials-vaulted gives; it was not run",
        ],
    ),
    // https://github.com/pulumi/pulumi: sdk/go/common/workspace/creds.go.
    case(
        "~/.pulumi/credentials.json",
        "{\n    \"current\": \"https://api.pulumi.com\",\n    \"accounts\": {\n        \"https://api.pulumi.com\": {\n            \"accessToken\": \"pul-@h1\",\n            \"username\": \"anna\"\n        }\n    }\n}\n",
        &["pulumi:access_token 5 accounts.https://api.pulumi.com.accessToken | username anna"],
    ),
    // https://www.postgresql.org/docs/current/libpq-pgservice.html
    case(
        "~/.pg_service.conf",
        "[shop]\nhost=pg.internal.example\nport=5433\nuser=owner\ndbname=shop\npassword=@1\n",
        &["postgres:password 6 shop.password"],
    ),
    // https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html
    case(
        "~/.netrc",
        "machine ftp.acme.example login anna password @1\n",
        &["unknown:password 1 ftp.acme.example | sent to ftp.acme.example"],
    ),
    // https://git-scm.com/docs/git-credential-store
    case(
        "~/.git-credentials",
        "https://anna:@1@git.acme.example\n",
        &["unknown:url_login 1 git.acme.example | sent to git.acme.example"],
    ),
    // https://git-scm.com/docs/gitcredentials
    case(
        "~/.gitconfig",
        "[user]\n\tname = Anna\n[credential \"https://git.acme.example\"]\n\thelper =\n\thelper = /usr/local/bin/git-credential-manager\n",
        &[
            "git:credential_helper 5 credential \"https://git.acme.example\".helper | whatever the program /usr/local/bin/git-credential-manager gives; it was not run",
        ],
    ),
    // https://github.com/openai/codex: codex-rs/core/src/auth.rs. The access token is a JSON Web Token.
    case(
        "~/.codex/auth.json",
        "{\n  \"OPENAI_API_KEY\": null,\n  \"tokens\": {\n    \"access_token\": \"@j1\",\n    \"refresh_token\": \"@2\",\n    \"account_id\": \"acc-7\"\n  },\n  \"last_refresh\": \"2026-11-20T10:00:00Z\"\n}\n",
        &[
            "openai:login 4 tokens.access_token live until 2026-10-26 | account id acc-7",
            "openai:refresh_token 5 tokens.refresh_token live | account id acc-7",
        ],
    ),
    // https://code.claude.com/docs/en/iam
    case(
        "~/.claude/.credentials.json",
        "{\"claudeAiOauth\":{\"accessToken\":\"@1\",\"refreshToken\":\"@2\",\"expiresAt\":1793000000000,\"subscriptionType\":\"max\"}}\n",
        &[
            "anthropic:oauth_token 1 claudeAiOauth.accessToken live until 2026-10-26 | subscriptionType max",
            "anthropic:refresh_token 1 claudeAiOauth.refreshToken live | subscriptionType max",
        ],
    ),
    // https://opencode.ai/docs/providers/
    case(
        "~/.local/share/opencode/auth.json",
        "{\n  \"acme\": {\n    \"type\": \"api\",\n    \"key\": \"@1\"\n  }\n}\n",
        &["unknown:api_key 4 acme.key"],
    ),
    // https://docs.databricks.com/aws/en/dev-tools/auth/config-profiles
    case(
        "~/.databrickscfg",
        "[DEFAULT]\nhost = https://acme.cloud.databricks.com\ntoken = @1\n",
        &["databricks:personal_access_token 3 DEFAULT.token | host https://acme.cloud.databricks.com"],
    ),
    // https://developer.hashicorp.com/vault/docs/commands/login
    case("~/.vault-token", "hvs.@1@2@3\n", &["vault:token 1 .vault-token"]),
    // https://docs.docker.com/compose/how-tos/use-secrets/
    case("/run/secrets/db_password", "@1\n", &["unknown:secret 1 db_password"]),
    // https://docs.k3s.io/cluster-access
    case(
        "/etc/rancher/k3s/k3s.yaml",
        "apiVersion: v1\nclusters:\n- cluster:\n    server: https://127.0.0.1:6443\n  name: default\ncontexts:\n- context:\n    cluster: default\n    user: default\n  name: default\ncurrent-context: default\nkind: Config\nusers:\n- name: default\n  user:\n    client-key-data: @1\n",
        &["kubernetes:client_certificate 16 default"],
    ),
];

/// What lies elsewhere on macOS.
const LINUX: &[Case] = &[
    // https://github.com/vercel/vercel: packages/cli-auth/credentials-store.ts.
    case(
        "~/.local/share/com.vercel.cli/auth.json",
        "{\n  \"token\": \"@1\",\n  \"refreshToken\": \"@2\",\n  \"expiresAt\": 1793000000\n}\n",
        &["vercel:access_token 2 token live until 2026-10-26", "vercel:refresh_token 3 refreshToken live"],
    ),
    // https://github.com/digitalocean/doctl: commands/doit.go.
    case(
        "~/.config/doctl/config.yaml",
        "access-token: dop_v1_@h1@h2\nauth-contexts:\n  acme: dop_v1_@h3@h4\ncontext: default\n",
        &["digitalocean:personal_token 1 access-token", "digitalocean:personal_token 3 auth-contexts.acme"],
    ),
    // https://github.com/cloudflare/workers-sdk: packages/wrangler/src/user.
    case(
        "~/.config/.wrangler/config/default.toml",
        "oauth_token = \"@1\"\nexpiration_time = \"2026-11-24T05:00:00.000Z\"\nrefresh_token = \"@2\"\nscopes = [ \"account:read\", \"d1:write\" ]\n",
        &[
            "cloudflare:oauth_token 1 oauth_token live until 2026-11-24",
            "cloudflare:refresh_token 3 refresh_token live",
        ],
    ),
    // https://www.mongodb.com/docs/atlas/cli/current/atlas-cli-save-connection-settings/
    case(
        "~/.config/atlascli/config.toml",
        "[default]\norg_id = 'org-7'\npublic_api_key = 'abcdefgh'\nprivate_api_key = '@u1'\n",
        &["mongodb_atlas:api_key 4 default.private_api_key | org id org-7"],
    ),
    // https://github.com/tursodatabase/turso-cli: internal/settings/settings.go.
    case(
        "~/.config/turso/settings.json",
        "{\n  \"token\": \"@1\",\n  \"username\": \"anna\"\n}\n",
        &["turso:api_token 2 token | username anna"],
    ),
    // https://cli.github.com/manual/gh_auth_login
    case(
        "~/.config/gh/hosts.yml",
        "github.com:\n    users:\n        anna:\n            oauth_token: gho_@1\n    user: anna\nghe.acme.example:\n    user: anna\n    oauth_token: gho_@2\n",
        &[
            "github:oauth_token 4 github.com | signed in to github.com as anna",
            // It is nothing to github.com.
            "github:enterprise_token 8 ghe.acme.example | signed in to ghe.acme.example as anna",
        ],
    ),
    // https://github.com/getsops/sops#encrypting-using-age
    case("~/.config/sops/age/keys.txt", "# created: 2026-10-01\nAGE-SECRET-KEY-1@A1\n", &["age:secret_key 2 "]),
];

const MACOS: &[Case] = &[
    case(
        "~/Library/Application Support/com.vercel.cli/auth.json",
        "{\n  \"token\": \"@1\"\n}\n",
        &["vercel:access_token 2 token"],
    ),
    case(
        "~/Library/Application Support/doctl/config.yaml",
        "access-token: dop_v1_@h1@h2\n",
        &["digitalocean:personal_token 1 access-token"],
    ),
    case(
        "~/Library/Preferences/.wrangler/config/default.toml",
        "oauth_token = \"@1\"\nexpiration_time = \"2026-11-24T05:00:00.000Z\"\n",
        &["cloudflare:oauth_token 1 oauth_token ended | ended on 24 Nov 2026 by its own account"],
    ),
    case(
        "~/Library/Application Support/atlascli/config.toml",
        "[default]\nproject_id = 'p-7'\naccess_token = '@j1'\nrefresh_token = '@2'\n",
        &[
            "mongodb_atlas:oauth_token 3 default.access_token live until 2026-10-26 | project id p-7",
            "mongodb_atlas:refresh_token 4 default.refresh_token live",
        ],
    ),
    case(
        "~/Library/Application Support/turso/settings.json",
        "{\n  \"token\": \"@1\",\n  \"organization\": \"acme\"\n}\n",
        &["turso:api_token 2 token | organization acme"],
    ),
    case(
        "~/Library/Application Support/pypoetry/auth.toml",
        "[http-basic.acme]\nusername = \"anna\"\npassword = \"@1\"\n",
        &["pypi:password 3 http-basic.acme.password | username anna"],
    ),
    case(
        "~/Library/Application Support/Claude/claude_desktop_config.json",
        "{\n  \"mcpServers\": {\n    \"db\": {\n      \"command\": \"npx\",\n      \"env\": {\"RAILWAY_TOKEN\": \"@u1\"}\n    }\n  }\n}\n",
        &["railway:project_token 5 mcpServers.db.env.RAILWAY_TOKEN"],
    ),
];

/// Stores that are there and cannot be read, and where the gap is.
const SEALED: [(&str, &str); 7] = [
    ("~/.local/share/keyrings/login.keyring", "~/.local/share/keyrings"),
    ("~/.local/share/kwalletd/kdewallet.kwl", "~/.local/share/kwalletd"),
    ("~/Library/Keychains/login.keychain-db", "~/Library/Keychains"),
    ("~/.password-store/work/db.gpg", "~/.password-store"),
    ("~/.azure/msal_token_cache.sig", "~/.azure/msal_token_cache.sig"),
    ("~/.awsvault/keys/prod", "~/.awsvault/keys"),
    ("~/notes/all.kdbx", "~/notes/all.kdbx"),
];

/// A text with its secrets filled in, which are added to `secrets`.
fn fill(text: &str, seed: u64, secrets: &mut Vec<String>) -> String {
    let mut filled = text.to_owned();
    for digit in 1..=9_u64 {
        let seed = seed * 10 + digit;
        let mut put = |mark: String, make: &dyn Fn() -> (String, String)| {
            if filled.contains(&mark) {
                let (secret, written) = make();
                filled = filled.replace(&mark, &written);
                secrets.push(secret);
            }
        };
        let plain = || made_up(seed + 70_000, 36);
        put(format!("@b{digit}"), &|| (plain(), STANDARD.encode(format!("anna:{}", plain()))));
        let digits = if text.contains("dop_v1_") { 32 } else { 40 };
        put(format!("@h{digit}"), &|| (hex(seed, digits), hex(seed, digits)));
        put(format!("@u{digit}"), &|| (uuid(seed), uuid(seed)));
        put(format!("@A{digit}"), &|| {
            let key = made_up(seed, 58).to_ascii_uppercase();
            (key.clone(), key)
        });
        put(format!("@j{digit}"), &|| {
            let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
            let body = "{\"iss\":\"https://auth.acme.example\",\"exp\":1793000000}";
            (plain(), format!("{}.{}.{}", part("{\"alg\":\"RS256\",\"typ\":\"JWT\"}"), part(body), plain()))
        });
        put(format!("@{digit}"), &|| (plain(), plain()));
    }
    filled
}

/// A home with these files, and every secret in it.
fn planted(cases: &[&[Case]]) -> (Fake, Vec<String>) {
    let (fake, mut secrets) = (Fake::new(), Vec::new());
    for (seed, case) in (1..).zip(cases.iter().copied().flatten()) {
        fake.write(case.path, fill(case.text, seed, &mut secrets));
    }
    (fake, secrets)
}

/// A credential as a case writes it.
fn told(credential: &Credential, path: &str) -> String {
    let place = credential.locations.iter().find(|at| at.path == path).unwrap();
    let line = place.line.map_or_else(|| "-".to_owned(), |line| line.to_string());
    let mut text =
        format!("{}:{} {line} {}", credential.provider, credential.kind, place.key.as_deref().unwrap_or_default());
    let live = credential.status == Fact::Known(Status::Live);
    let day = |end: deadstop_core::time::Time| serde_json::to_value(end).unwrap().as_str().unwrap()[..10].to_owned();
    if live {
        text.push_str(" live");
    }
    let ended = credential.scope.as_deref().is_some_and(|scope| scope.contains("ended on"));
    match credential.expires {
        Some(_) if ended => text.push_str(" ended"),
        Some(end) => text.push_str(&format!(" until {}", day(end))),
        None => {}
    }
    if let Some(scope) = &credential.scope {
        text.push_str(&format!(" | {scope}"));
    }
    text
}

fn holds(cases: &[&[Case]]) {
    let (fake, secrets) = planted(cases);
    let found = fake.collect();
    let mut by_path: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for credential in &found.credentials.items {
        for place in &credential.locations {
            by_path.entry(&place.path).or_default().push(told(credential, &place.path));
        }
    }
    let mut wrong = Vec::new();
    for case in cases.iter().copied().flatten() {
        let mut actual = by_path.remove(case.path).unwrap_or_default();
        let mut expected: Vec<String> = case.found.iter().map(|line| (*line).to_owned()).collect();
        actual.sort();
        expected.sort();
        if actual != expected {
            wrong.push(format!("{}\n  expected {expected:#?}\n  found {actual:#?}", case.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(by_path.is_empty(), "not planted: {by_path:?}");
    assert!(found.credentials.gaps.is_empty(), "{:?}", found.credentials.gaps);
    let text = format!("{}{found:?}", serde_json::to_string(&found).unwrap());
    let pieces = AhoCorasick::new(secrets.iter().flat_map(|secret| secret.as_bytes().windows(12))).unwrap();
    assert!(!pieces.is_match(&text), "a piece of a secret is told");
}

#[test]
fn every_store_of_linux_is_found_with_its_place() {
    holds(&[BOTH, HOSTING, LINUX]);
}

#[test]
fn every_store_of_macos_is_found_with_its_place() {
    holds(&[BOTH, HOSTING, MACOS]);
}

/// `SQLite` keeps text as it is, in pages (<https://www.sqlite.org/fileformat2.html>, "B-tree Cell Format").
#[test]
fn strings_of_an_agents_database_are_looked_through_and_it_stays_a_gap() {
    let fake = Fake::new();
    let token = format!("dop_v1_{}", hex(31, 64));
    let page = [&b"SQLite format 3\0\x10\0\x01\x01\0@  \0\0"[..], token.as_bytes(), b"\0\x02\x1f"].concat();
    fake.write("~/.local/share/goose/sessions/sessions.db-wal", &page);
    fake.write("~/.config/Cursor/User/globalStorage/state.vscdb", &page);
    let found = fake.collect();
    let kinds: Vec<&str> = found.credentials.items.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["personal_token"]);
    assert_eq!(found.credentials.items[0].locations.len(), 2);
    assert_eq!(found.credentials.gaps.len(), 2);
    assert!(!serde_json::to_string(&found).unwrap().contains(&token));
}

#[test]
fn what_cannot_be_read_is_a_gap_and_no_credential() {
    let fake = Fake::new();
    for (path, _) in SEALED {
        fake.write(path, [&b"\0\x01locked"[..], made_up(7, 40).as_bytes()].concat());
    }
    let found = fake.collect();
    assert_eq!(found.credentials.items.len(), 0);
    let mut gaps: Vec<String> = found.credentials.gaps.iter().map(|gap| gap.source.0.clone()).collect();
    let mut expected: Vec<String> = SEALED.iter().map(|(_, place)| format!("sealed:{place}")).collect();
    gaps.sort();
    expected.sort();
    assert_eq!(gaps, expected);
    assert!(found.credentials.gaps.iter().all(|gap| gap.reason == GapReason::Unsupported));
    assert!(found.reach.gap().is_some());
}

#[test]
fn no_output_of_the_program_tells_a_secret() {
    let (fake, secrets) = planted(&[BOTH, HOSTING, LINUX]);
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_deadstop"));
        command.args(args).current_dir(fake.root()).env_clear().env("PATH", "/usr/bin:/bin");
        let done = command.env("HOME", fake.home()).env("DEADSTOP_SYSTEM", fake.system()).output().unwrap();
        assert!(matches!(done.status.code(), Some(0 | 1 | 3)), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat()
    };
    let mut written = vec![
        run(&["credentials"]),
        run(&["credentials", "--format", "json"]),
        run(&["collect", "-o", "-"]),
        run(&["run", "-o", "out", "-vv", "--format", "html,json,sarif,junit,markdown,csv,gitlab,ocsf,oscal"]),
    ];
    assert!(written[1].lines().count() > 50);
    for file in std::fs::read_dir(fake.root().join("out")).unwrap() {
        written.push(std::fs::read_to_string(file.unwrap().path()).unwrap());
    }
    assert!(written.len() > 10);
    let pieces = AhoCorasick::new(secrets.iter().flat_map(|secret| secret.as_bytes().windows(12))).unwrap();
    assert!(pieces.patterns_len() > 1_000);
    assert!(!written.iter().any(|text| pieces.is_match(text)), "a piece of a secret is told");
}

/// Zed, Continue (both of its forms), Goose, Crush and Amp, each as its documentation shows it.
#[test]
fn servers_are_found_however_an_agent_lists_them() {
    let fake = Fake::new();
    let token = |n: u64| format!("RAILWAY_TOKEN\": \"{}\"", uuid(n));
    let zed = format!(
        "{{\n  // by hand\n  \"context_servers\": {{\n    \"one\": {{\"command\": \"npx\", \"args\": [], \"env\": {{\"{}}}}},\n    \
         \"two\": {{\"command\": {{\"path\": \"npx\", \"args\": [], \"env\": {{\"{}}}}}}},\n  }},\n}}\n",
        token(101),
        token(102)
    );
    fake.write("~/.config/zed/settings.json", zed);
    let yaml = format!(
        "name: x\nmcpServers:\n  - name: three\n    command: npx\n    env:\n      RAILWAY_TOKEN: {}\n  - name: four\n    \
         type: streamable-http\n    url: https://mcp.example/mcp\n    requestOptions:\n      headers:\n        RAILWAY_TOKEN: {}\n",
        uuid(103),
        uuid(104)
    );
    fake.write("~/.continue/config.yaml", &yaml);
    fake.write(
        "./.continue/mcpServers/more.yaml",
        format!("mcpServers:\n  - name: five\n    command: npx\n    env:\n      RAILWAY_TOKEN: {}\n", uuid(105)),
    );
    let old = format!(
        "{{\"experimental\": {{\"modelContextProtocolServers\": [{{\"transport\": {{\"type\": \"stdio\", \"command\": \"npx\", \"env\": {{\"{}}}}}}}]}}}}",
        token(106)
    );
    fake.write("~/.continue/config.json", old);
    let goose = format!(
        "extensions:\n  six:\n    enabled: true\n    type: stdio\n    cmd: npx\n    args: [-y]\n    envs:\n      RAILWAY_TOKEN: {}\n  \
         developer:\n    type: builtin\n  seven:\n    type: streamable_http\n    uri: https://mcp.example/x\n    headers:\n      RAILWAY_TOKEN: {}\n",
        uuid(107),
        uuid(108)
    );
    fake.write("~/.config/goose/config.yaml", goose);
    fake.write("~/.config/goose/secrets.yaml", format!("RAILWAY_TOKEN: {}\n", uuid(109)));
    fake.write(
        "~/.config/crush/crush.json",
        format!(
            "{{\"mcp\": {{\"eight\": {{\"type\": \"stdio\", \"command\": \"npx\", \"env\": {{\"{}}}}}}}}}",
            token(110)
        ),
    );
    fake.write(
        "~/.config/amp/settings.json",
        format!("{{\"amp.mcpServers\": {{\"nine\": {{\"command\": \"npx\", \"env\": {{\"{}}}}}}}}}", token(111)),
    );
    let found = fake.collect();
    let mut servers: Vec<_> =
        found.mcp_servers.iter().map(|server| (server.name.as_str(), server.credentials.len())).collect();
    servers.sort_unstable();
    let expected = ["eight", "five", "four", "nine", "one", "server", "seven", "six", "three", "two"];
    assert_eq!(servers, expected.map(|name| (name, 1)));
    assert_eq!(found.credentials.items.len(), 11, "{:?}", inventory(&found));
    assert_eq!(found.reach, Fact::Known(Listed::Complete));
}
