//! The programs that run another one (floor 2).

/// A program that runs the words behind its own options.
pub(super) struct Wrapper {
    pub(super) program: &'static str,
    /// The words in front of what is run: `run`, `exec`.
    pub(super) words: &'static [&'static str],
    /// Options that take a value.
    pub(super) values: &'static [&'static str],
    /// Words of its own before what is run: a time, a mask.
    pub(super) own: usize,
}

const fn wrapper(
    program: &'static str,
    words: &'static [&'static str],
    values: &'static [&'static str],
    own: usize,
) -> Wrapper {
    Wrapper { program, words, values, own }
}

/// What is run by its words. Sources: the manual page of each.
pub(super) const WRAPPERS: [Wrapper; 66] = [
    wrapper("sudo", &[], &["-u", "-g", "-h", "-p", "-C", "-T", "-D", "-R", "-U", "--user", "--group", "--chdir"], 0),
    wrapper("doas", &[], &["-u", "-C"], 0),
    wrapper("timeout", &[], &["-s", "-k", "--signal", "--kill-after"], 1),
    wrapper("gtimeout", &[], &["-s", "-k", "--signal", "--kill-after"], 1),
    wrapper("nice", &[], &["-n", "--adjustment"], 0),
    wrapper("ionice", &[], &["-c", "-n", "--class", "--classdata"], 0),
    wrapper("chrt", &[], &[], 1),
    wrapper("taskset", &[], &[], 1),
    wrapper("nohup", &[], &[], 0),
    wrapper("setsid", &[], &[], 0),
    wrapper("stdbuf", &[], &["-i", "-o", "-e"], 0),
    wrapper("unbuffer", &[], &[], 0),
    wrapper("time", &[], &["-f", "-o"], 0),
    wrapper("gtime", &[], &["-f", "-o"], 0),
    wrapper("builtin", &[], &[], 0),
    wrapper("exec", &[], &["-a"], 0),
    wrapper("noglob", &[], &[], 0),
    wrapper("nocorrect", &[], &[], 0),
    wrapper("caffeinate", &[], &["-t", "-w"], 0),
    wrapper("strace", &[], &["-e", "-o", "-p", "-s", "-u", "-E"], 0),
    wrapper("ltrace", &[], &["-e", "-o", "-p", "-s", "-u"], 0),
    wrapper("chroot", &[], &["--userspec", "--groups"], 1),
    wrapper("unshare", &[], &["-S", "-G", "-R", "-w"], 0),
    wrapper("nsenter", &[], &["-t", "--target", "-S", "-G"], 0),
    wrapper("systemd-run", &[], &["-p", "--property", "-u", "--unit", "-E", "--setenv"], 0),
    wrapper("dbus-run-session", &[], &[], 0),
    wrapper("proxychains4", &[], &["-f"], 0),
    wrapper("proxychains", &[], &["-f"], 0),
    wrapper("torsocks", &[], &[], 0),
    wrapper("chronic", &[], &[], 0),
    wrapper("faketime", &[], &["-f"], 1),
    wrapper("xvfb-run", &[], &["-n", "-s", "-e", "-f", "--server-num", "--server-args"], 0),
    wrapper("firejail", &[], &[], 0),
    wrapper("busybox", &[], &[], 0),
    wrapper("npx", &[], &["-p", "--package", "-w", "--workspace", "--cache", "--userconfig"], 0),
    wrapper("bunx", &[], &["-p", "--package"], 0),
    wrapper("uvx", &[], &["--from", "--with", "-p", "--python", "--index-url"], 0),
    wrapper("npm", &["exec"], &["-p", "--package", "-w"], 0),
    wrapper("npm", &["x"], &["-p", "--package", "-w"], 0),
    wrapper("pnpm", &["exec"], &["-C", "--dir", "--filter"], 0),
    wrapper("pnpm", &["dlx"], &["--package", "-C"], 0),
    wrapper("yarn", &["exec"], &[], 0),
    wrapper("yarn", &["dlx"], &["-p", "--package"], 0),
    wrapper("bun", &["x"], &["-p", "--package"], 0),
    wrapper("pipx", &["run"], &["--spec", "--python", "--pip-args"], 0),
    wrapper(
        "uv",
        &["run"],
        &[
            "--with",
            "--python",
            "-p",
            "--env-file",
            "--directory",
            "--project",
            "--extra",
            "--group",
            "--with-requirements",
        ],
        0,
    ),
    wrapper("poetry", &["run"], &["-C", "--directory"], 0),
    wrapper("pdm", &["run"], &["-p"], 0),
    wrapper("hatch", &["run"], &[], 0),
    wrapper("rye", &["run"], &[], 0),
    wrapper("pipenv", &["run"], &[], 0),
    wrapper("bundle", &["exec"], &[], 0),
    wrapper("mise", &["exec"], &["-C", "--cd"], 0),
    wrapper("mise", &["x"], &["-C", "--cd"], 0),
    wrapper("direnv", &["exec"], &[], 1),
    wrapper("devbox", &["run"], &["-c", "-e"], 0),
    wrapper("doppler", &["run"], &["-c", "--config", "-p", "--project", "-t", "--token"], 0),
    wrapper("infisical", &["run"], &["--env", "--projectId", "--path", "--token"], 0),
    wrapper("op", &["run"], &["--env-file", "--account"], 0),
    wrapper("aws-vault", &["exec"], &["-d", "--duration", "--region", "-t", "--mfa-token"], 1),
    wrapper("aws-vault", &["exec", "--"], &[], 1),
    wrapper("chamber", &["exec"], &[], 1),
    wrapper("dotenv", &[], &["-e", "-f", "-p"], 0),
    wrapper("dotenvx", &["run"], &["-f", "--env-file", "-e"], 0),
    wrapper("granted", &["exec"], &[], 0),
    wrapper("teller", &["run"], &["-c"], 0),
];

/// Names under which packages are run that hold a program of another name.
pub(super) const PACKAGES: [(&str, &str); 8] = [
    ("@railway/cli", "railway"),
    ("aws-cdk", "cdk"),
    ("firebase-tools", "firebase"),
    ("@google-cloud/cli", "gcloud"),
    ("@dopplerhq/cli", "doppler"),
    ("awscli", "aws"),
    ("@planetscale/cli", "pscale"),
    ("@neondatabase/cli", "neonctl"),
];

pub(super) const SHELLS: [&str; 8] = ["sh", "bash", "zsh", "dash", "ksh", "ash", "rbash", "mksh"];
