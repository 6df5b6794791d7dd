//! `deadstop sign` and `deadstop verify` beside the programs whose signatures these are.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use crate::program::{Place, Ran, ran};

/// A report, a key of that kind, and a file that says that it is Anna's.
fn place(kind: &[&str], passphrase: &str) -> Place {
    let place = Place::new();
    place.expect(0, &["demo", "-o", "r"]);
    let mut keygen = tool(&place, "ssh-keygen", &["-q", "-C", "", "-N", passphrase, "-f", "key", "-t"]);
    assert!(keygen.args(kind).status().unwrap().success(), "{kind:?}");
    place.write("allowed", &format!("anna@example.com {}", place.read("key.pub")));
    place
}

fn tool(place: &Place, name: &str, args: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(args).current_dir(place.path(".")).stdin(Stdio::null());
    command
}

const ANNA: [&str; 6] = ["verify", "r", "--allowed-signers", "allowed", "--signer", "anna@example.com"];

fn keygen_verifies(place: &Place, namespace: &str) -> bool {
    let args =
        ["-Y", "verify", "-f", "allowed", "-I", "anna@example.com", "-n", namespace, "-s", "r/manifest.json.sig"];
    let manifest = fs::File::open(place.path("r/manifest.json")).unwrap();
    let mut command = tool(place, "ssh-keygen", &args);
    command.stdin(manifest).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

#[test]
fn each_verifies_what_the_other_signed() {
    for kind in [&["ed25519"][..], &["ecdsa", "-b", "256"], &["ecdsa", "-b", "384"], &["rsa", "-b", "2048"], &["rsa"]] {
        let place = place(kind, "");
        let signed = place.expect(0, &["sign", "r", "--sign-key", "key"]);
        assert!(signed.out.contains("SHA256:") && signed.err.is_empty(), "{}{}", signed.out, signed.err);
        assert!(keygen_verifies(&place, "deadstop-manifest"), "{kind:?}");
        assert!(!keygen_verifies(&place, "file"), "{kind:?}");
        let told = place.expect(0, &ANNA).out;
        assert!(told.contains("Signed by anna@example.com: `manifest.json.sig`, with the key SHA256:"), "{told}");
        assert!(!told.contains("Whoever alters"), "{told}");

        fs::remove_file(place.path("r/manifest.json.sig")).unwrap();
        let sign = ["-q", "-Y", "sign", "-n", "deadstop-manifest", "-f", "key", "r/manifest.json"];
        assert!(tool(&place, "ssh-keygen", &sign).stderr(Stdio::null()).status().unwrap().success());
        place.expect(0, &ANNA);
    }
}

#[test]
fn without_a_key_a_signature_is_told_of_and_not_believed() {
    let place = place(&["ed25519"], "");
    let none = place.expect(0, &["verify", "r"]).out;
    assert!(none.contains("can write a new manifest, too") && !none.contains("is a signature"), "{none}");
    place.expect(0, &["sign", "r", "--sign-key", "key"]);
    let told = place.expect(0, &["verify", "r"]).out;
    assert!(told.contains("`manifest.json.sig` is a signature, and whose it is was not checked"), "{told}");
    assert!(told.contains("can write a new manifest, too") && !told.contains("added"), "{told}");
}

#[test]
fn what_is_not_signed_as_it_should_be_is_exit_code_1() {
    let place = place(&["ed25519"], "");
    let bad = |args: &[&str], why: &str| {
        let told = place.expect(1, args).out;
        assert!(told.contains(why), "{why}: {told}");
    };
    bad(&ANNA, "missing       manifest.json.sig");
    place.expect(0, &["sign", "r", "--sign-key", "key"]);
    bad(&["verify", "r", "--allowed-signers", "allowed", "--signer", "bob@example.com"], "not that of the signer");
    let public = place.read("key.pub");
    for (line, why) in [
        (format!("anna@example.com cert-authority {public}"), "cert-authority"),
        (format!("anna@example.com namespaces=\"git\" {public}"), "other namespaces"),
        (format!("anna@example.com valid-before=\"20200101Z\" {public}"), "not valid any more"),
        (format!("anna@example.com valid-after=\"29990101Z\" {public}"), "not valid yet"),
        (format!("anna@example.com verify-required {public}"), "not understood"),
        (String::new(), "not that of the signer"),
    ] {
        let allowed = place.read("allowed");
        place.write("allowed", &line);
        bad(&ANNA, why);
        place.write("allowed", &allowed);
    }
    place.write("allowed", &format!("anna@example.com valid-before=\"20200101Z\" {public}"));
    let then = [&ANNA[..], &["--verify-time", "2019-06-01T00:00:00Z"]].concat();
    place.expect(0, &then);

    place.write("allowed", &format!("anna@example.com {public}"));
    let manifest = place.read("r/manifest.json");
    place.write("r/manifest.json", &manifest.replacen("summary.md", "summary.mD", 1));
    bad(&ANNA, "not valid     manifest.json.sig");
    bad(&["verify", "r"], "not valid     manifest.json.sig");
    place.write("r/manifest.json", &manifest);
    place.expect(0, &ANNA);
    place.write("r/summary.md", "All is well.\n");
    bad(&ANNA, "altered       summary.md");
}

#[test]
fn a_forged_report_with_a_manifest_of_its_own_is_found() {
    let place = place(&["ed25519"], "");
    place.expect(0, &["sign", "r", "--sign-key", "key"]);
    place.expect(0, &["demo", "hardened", "-o", "forged"]);
    fs::copy(place.path("r/manifest.json.sig"), place.path("forged/manifest.json.sig")).unwrap();
    let args = ["verify", "forged", "--allowed-signers", "allowed", "--signer", "anna@example.com"];
    assert!(place.expect(1, &args).out.contains("not a signature of this manifest"));
    // With a key of the forger's own it is whole, and still not Anna's.
    assert!(tool(&place, "ssh-keygen", &["-q", "-N", "", "-t", "ed25519", "-f", "forger"]).status().unwrap().success());
    place.expect(0, &["sign", "forged", "--sign-key", "forger"]);
    assert!(place.expect(1, &args).out.contains("not that of the signer"));
}

#[test]
fn a_signature_is_a_plain_file_and_goes_with_its_report() {
    let place = place(&["ed25519"], "");
    place.expect(0, &["sign", "r", "--sign-key", "key"]);
    fs::rename(place.path("r/manifest.json.sig"), place.path("elsewhere")).unwrap();
    symlink(place.path("elsewhere"), place.path("r/manifest.json.sig")).unwrap();
    assert!(place.expect(1, &ANNA).out.contains("no plain file"));
    fs::remove_file(place.path("r/manifest.json.sig")).unwrap();
    fs::write(place.path("r/manifest.json.sig"), [0xff; 100_000]).unwrap();
    assert!(place.expect(1, &["verify", "r"]).out.contains("not valid     manifest.json.sig"));
    // What was signed is not there any more.
    place.expect(0, &["demo", "-o", "r"]);
    assert!(!place.path("r/manifest.json.sig").exists());
    assert!(place.expect(0, &["verify", "r"]).out.contains("is whole"));
}

#[test]
fn what_cannot_be_used_is_exit_code_2() {
    let place = place(&["ed25519"], "");
    let refused = |args: &[&str], why: &str| {
        let ran = place.expect(2, args);
        assert!(ran.err.contains(why) && ran.err.lines().count() == 1, "{why}: {}", ran.err);
    };
    place.write("summary", "x");
    place.write("wrong", "anna@example.com ssh-ed25519\n");
    refused(&["verify", "r", "--allowed-signers", "wrong", "--signer", "anna"], "line 1: there is no key");
    refused(&["verify", "r", "--allowed-signers", "nowhere", "--signer", "anna"], "`nowhere` of --allowed-signers");
    refused(&["verify", "r", "--public-key", "key.pub"], "no public key of minisign");
    refused(&["sign", "r", "--sign-key", "nowhere"], "cannot be read");
    refused(&["sign", "r", "--sign-key", "summary"], "no secret key");
    refused(&["sign", "r", "--sign-key", "key.pub"], "no agent is named by SSH_AUTH_SOCK");
    place.expect(2, &["verify", "r", "--allowed-signers", "allowed"]);
    place.expect(2, &["sign", "r"]);
    place.write("r/summary.md", "All is well.\n");
    refused(&["sign", "r", "--sign-key", "key"], "not as it was written, so that nothing was signed");
    refused(&["sign", "home", "--sign-key", "key"], "there is no manifest.json");
    assert!(!place.path("r/manifest.json.sig").exists());
}

fn with(place: &Place, args: &[&str], variables: &[(&str, &str)]) -> Ran {
    ran(&place.command(args).envs(variables.iter().copied()).output().unwrap())
}

#[test]
fn a_passphrase_comes_from_a_variable_or_from_the_terminal() {
    let secret = "correct horse battery";
    let place = place(&["ed25519"], secret);
    let sign = ["sign", "r", "--sign-key", "key", "-vvv"];
    let named = [&sign[..], &["--passphrase-env", "PASS"]].concat();
    let key = place.read("key");
    let quiet = |ran: &Ran| {
        for text in [&ran.out, &ran.err] {
            assert!(
                !text.contains("horse") && key.lines().all(|line| line.len() < 20 || !text.contains(line)),
                "{text}"
            );
        }
    };
    let ran = with(&place, &named, &[("PASS", secret)]);
    quiet(&ran);
    assert_eq!(ran.code, 0, "{}", ran.err);
    place.expect(0, &ANNA);
    for (args, variables, why) in [
        (&named, &[("PASS", "wrong horse")][..], "the passphrase does not open the key"),
        (&named, &[], "a variable that is not set"),
    ] {
        let ran = with(&place, args, variables);
        quiet(&ran);
        assert!(ran.code == 2 && ran.err.contains(why), "{}", ran.err);
    }
    // In a session of its own there is no terminal.
    let program = env!("CARGO_BIN_EXE_deadstop");
    let alone = tool(&place, "setsid", &["-w", program, "sign", "r", "--sign-key", "key"]).output().unwrap();
    let alone = self::ran(&alone);
    assert!(alone.code == 2 && alone.err.contains("no terminal to ask"), "{}", alone.err);

    fs::remove_file(place.path("r/manifest.json.sig")).unwrap();
    let mut typed = Command::new("script");
    typed.args(["-qec", &format!("{program} sign r --sign-key key"), "/dev/null"]).current_dir(place.path("."));
    typed.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", place.path("home"));
    let mut typed = typed.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(700));
    typed.stdin.take().unwrap().write_all(format!("{secret}\n").as_bytes()).unwrap();
    let shown = String::from_utf8(typed.wait_with_output().unwrap().stdout).unwrap();
    assert!(shown.contains("Passphrase of the key: ") && !shown.contains("horse"), "{shown}");
    place.expect(0, &ANNA);
}

#[test]
fn an_agent_signs_with_the_key_that_it_has() {
    for kind in [&["ed25519"][..], &["rsa"], &["ecdsa", "-b", "256"]] {
        let place = place(kind, "");
        let socket = place.path("agent");
        let socket = socket.to_str().unwrap();
        let mut agent = tool(&place, "ssh-agent", &["-D", "-a", socket]).stdout(Stdio::null()).spawn().unwrap();
        for _ in 0..100 {
            if place.path("agent").exists() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let sign = ["sign", "r", "--sign-key", "key.pub"];
        let without = with(&place, &sign, &[("SSH_AUTH_SOCK", socket)]);
        let add = tool(&place, "ssh-add", &["-q", "key"]).env("SSH_AUTH_SOCK", socket).status().unwrap();
        let signed = with(&place, &sign, &[("SSH_AUTH_SOCK", socket)]);
        agent.kill().unwrap();
        agent.wait().unwrap();
        assert!(without.code == 2 && without.err.contains("does not have its other half"), "{}", without.err);
        assert!(add.success());
        assert_eq!(signed.code, 0, "{}", signed.err);
        assert!(keygen_verifies(&place, "deadstop-manifest"), "{kind:?}");
        place.expect(0, &ANNA);
        let gone = with(&place, &sign, &[("SSH_AUTH_SOCK", socket)]);
        assert!(gone.code == 2 && gone.err.contains("does not answer"), "{}", gone.err);
    }
}

#[test]
fn minisign_verifies_and_is_verified() {
    let place = Place::new();
    place.expect(0, &["demo", "-o", "r"]);
    let silent = |args: &[&str]| {
        tool(&place, "minisign", args).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    };
    assert!(silent(&["-G", "-W", "-f", "-s", "m.key", "-p", "m.pub"]));
    assert!(silent(&["-G", "-W", "-f", "-s", "other.key", "-p", "other.pub"]));
    let verify = ["verify", "r", "--public-key", "m.pub"];
    assert!(place.expect(1, &verify).out.contains("missing       manifest.json.minisig"));
    place.expect(0, &["sign", "r", "--sign-key", "m.key"]);
    assert!(silent(&["-V", "-p", "m.pub", "-m", "r/manifest.json"]));
    assert!(place.expect(0, &verify).out.contains("Signed by the key of --public-key"));
    assert!(place.expect(0, &["verify", "r"]).out.contains("was not checked: --public-key says"));
    let other = place.expect(1, &["verify", "r", "--public-key", "other.pub"]);
    assert!(other.out.contains("made with another key"), "{}", other.out);
    fs::remove_file(place.path("r/manifest.json.minisig")).unwrap();
    assert!(silent(&["-S", "-W", "-s", "m.key", "-m", "r/manifest.json"]));
    place.expect(0, &verify);
    // The line of the key alone will do.
    place.write("line.pub", place.read("m.pub").lines().nth(1).unwrap());
    place.expect(0, &["verify", "r", "--public-key", "line.pub"]);
    // The older kind of signature.
    assert!(silent(&["-S", "-l", "-W", "-s", "m.key", "-m", "r/manifest.json"]));
    assert!(place.expect(1, &verify).out.contains("of the older kind"));
}
