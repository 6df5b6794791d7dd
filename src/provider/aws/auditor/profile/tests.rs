use std::ffi::OsString;

use super::*;

/// A home with these files below `.aws`.
struct Home {
    folder: tempfile::TempDir,
    env: BTreeMap<String, OsString>,
}

impl Home {
    fn of(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(".aws").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self { folder, env: BTreeMap::new() }
    }

    fn read(&self, name: &str) -> Result<Profile, String> {
        let around = Surroundings {
            home: Some(self.folder.path().to_owned()),
            env: self.env.clone(),
            now: "2026-11-30T12:00:00Z".parse().unwrap(),
            ..Surroundings::of_this_process(&[])
        };
        Profile::read(name, &around).map_err(|error| error.to_string())
    }

    fn roles(&self, name: &str) -> Vec<String> {
        self.read(name).unwrap_or_else(|error| panic!("{error}")).hops.into_iter().map(|hop| hop.role).collect()
    }
}

fn key(profile: Profile) -> (String, String, Option<String>) {
    let Base::Key { id, secret, token } = profile.base else { panic!("no key") };
    let text = |secret: &Secret| String::from_utf8(secret.expose().to_vec()).unwrap();
    (id, text(&secret), token.as_ref().map(text))
}

const KEYS: &str = "[base]\naws_access_key_id = KEY-OF-BASE\naws_secret_access_key = one # not part of it\n";

#[test]
fn keys_of_the_credentials_file_go_before_those_of_the_settings() {
    let config = "[profile base]\naws_access_key_id = other\naws_secret_access_key = other\ns3 =\n  aws_session_token = nested\n";
    let home = Home::of(&[("config", config), ("credentials", KEYS)]);
    assert_eq!(key(home.read("base").unwrap()), ("KEY-OF-BASE".to_owned(), "one".to_owned(), None));
}

#[test]
fn roles_are_taken_on_in_the_order_of_their_chain() {
    let config = "[profile far]\nrole_arn = arn:aws:iam::210987654321:role/far\nsource_profile = near\nexternal_id = x-1\n\
                  [profile near]\nrole_arn=arn:aws:iam::123456789012:role/near\nsource_profile=base\nrole_session_name = me\n";
    let home = Home::of(&[("config", config), ("credentials", KEYS)]);
    assert_eq!(home.roles("far"), ["arn:aws:iam::123456789012:role/near", "arn:aws:iam::210987654321:role/far"]);
    let far = home.read("far").unwrap();
    assert_eq!((far.hops[0].session.as_deref(), far.hops[1].external.as_deref()), (Some("me"), Some("x-1")));
    assert_eq!(key(far).0, "KEY-OF-BASE");
}

#[test]
fn a_role_may_start_from_the_environment_and_from_its_own_keys() {
    let config = "[profile ci]\nrole_arn = r\ncredential_source = Environment\n\
                  [profile me]\nrole_arn = r\nsource_profile = me\naws_access_key_id = a\naws_secret_access_key = b\n";
    let mut home = Home::of(&[("config", config)]);
    assert!(home.read("ci").err().unwrap().contains("not both set"));
    for (name, value) in [("AWS_ACCESS_KEY_ID", "i"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_SESSION_TOKEN", "t")] {
        home.env.insert(name.to_owned(), value.into());
    }
    assert_eq!(key(home.read("ci").unwrap()), ("i".to_owned(), "s".to_owned(), Some("t".to_owned())));
    assert_eq!((home.roles("me"), key(home.read("me").unwrap()).0), (vec!["r".to_owned()], "a".to_owned()));
}

#[test]
fn a_sign_in_counts_while_it_lasts() {
    let config = "[profile audit]\nsso_session = work\nsso_account_id = 123456789012\nsso_role_name = Audit\n\
                  [sso-session work]\nsso_start_url = https://work.awsapps.com/start\nsso_region = eu-west-1\n";
    let token = |ends: &str| {
        format!(
            r#"{{"startUrl": "https://work.awsapps.com/start", "region": "eu-west-1", "accessToken": "secret-{ends}", "expiresAt": "{ends}"}}"#
        )
    };
    let old = token("2026-11-30T11:59:59Z");
    let home = Home::of(&[("config", config), ("sso/cache/a.json", &old)]);
    assert!(home.read("audit").err().unwrap().contains("aws sso login --profile audit"));
    let new = token("2026-11-30T18:00:00Z");
    let home = Home::of(&[("config", config), ("sso/cache/a.json", &old), ("sso/cache/b.json", &new)]);
    let Base::SingleSignOn { region, account, role, token } = home.read("audit").unwrap().base else { panic!() };
    assert_eq!((region.as_str(), account.as_str(), role.as_str()), ("eu-west-1", "123456789012", "Audit"));
    assert_eq!(token.expose(), b"secret-2026-11-30T18:00:00Z");
}

#[test]
fn a_token_of_an_identity_provider_is_read_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "a-token\n").unwrap();
    let config = format!("[profile pod]\nrole_arn = r\nweb_identity_token_file = {}\n", file.display());
    let Base::WebIdentity { role, token, .. } = Home::of(&[("config", &config)]).read("pod").unwrap().base else {
        panic!()
    };
    assert_eq!((role.as_str(), token.expose()), ("r", b"a-token".as_slice()));
}

#[test]
fn what_cannot_be_used_says_why() {
    for (config, wanted) in [
        ("[profile other]\n", "is in neither"),
        ("[audit]\naws_access_key_id = a\naws_secret_access_key = b\n", "is in neither"),
        ("[profile audit]\nregion = eu-west-1\n", "it has no credentials"),
        ("[profile audit]\ncredential_process = /bin/keys --give\n", "its credential_process is not run"),
        ("[profile audit]\nlogin_session = x\n", "`aws login`"),
        ("[profile audit]\nrole_arn = r\n", "nothing to take it on from"),
        ("[profile audit]\nrole_arn = r\nsource_profile = a\nmfa_serial = m\n", "mfa_serial"),
        ("[profile audit]\nrole_arn = r\ncredential_source = Ec2InstanceMetadata\n", "no metadata service is asked"),
        ("[profile audit]\nrole_arn = r\nsource_profile = a\ncredential_source = Environment\n", "both"),
        (
            "[profile audit]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\nsource_profile = audit\n",
            "itself",
        ),
        ("[profile audit]\nrole_arn = r\nweb_identity_token_file = /nowhere\n", "cannot be read"),
        ("[profile audit]\nsso_session = gone\n", "its sso_session is not there"),
    ] {
        let error = Home::of(&[("config", config)]).read("audit").err().unwrap_or_default();
        assert!(error.contains(wanted), "{config:?}: {error}");
        assert!(!error.contains("/bin/keys"), "{error}");
    }
}
