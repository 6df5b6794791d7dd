// Asks the policy engine of Gemini CLI itself what it decides, on rules and command lines that are made here, and
// writes its answers for `crates/core/tests/agreement.rs` to hold ours against.
//
//   node tests/agreement/gemini.mjs [VERSION] && cargo test -p deadstop-core --test agreement -- --ignored --nocapture
//
// The package comes from npm into target/agreement/gemini, and nothing of it stays in this repository.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const version = process.argv[2] ?? "0.61.0";
const target = join(dirname(fileURLToPath(import.meta.url)), "../../target/agreement");
const folder = join(target, "gemini");
const core = join(folder, "node_modules/@google/gemini-cli-core");
if (!existsSync(core)) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}");
  const arguments_ = ["install", "--no-audit", "--no-fund", "--ignore-scripts", `@google/gemini-cli-core@${version}`];
  execFileSync("npm", arguments_, { cwd: folder, stdio: "inherit" });
}
const home = join(target, "home");
rmSync(home, { recursive: true, force: true });
mkdirSync(join(home, ".gemini/policies"), { recursive: true });
process.env.GEMINI_CLI_HOME = home;
const module_ = (name) => import(pathToFileURL(join(core, "dist/src", name)).href);
const { PolicyEngine } = await module_("policy/policy-engine.js");
const { createPolicyEngineConfig } = await module_("policy/config.js");

console.debug = () => {};

// A generator of numbers that gives the same ones each time.
let seed = Number(process.env.SEED ?? 20261130);
const random = (below) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 4294967296) * below);
};
const pick = (list) => list[random(list.length)];

const calls = [
  "railway down", "railway volume delete --volume v --yes", "aws s3 rb s3://b --force", "git push --force", "git  push",
  "rm -rf /srv/data", "rm -r -f /srv/data", "terraform destroy -auto-approve", "kubectl -n prod delete ns shop",
  "psql -c 'drop table users'", 'psql -c "drop table users"', "npm run deploy", "git status", "ls -la", "echo hi",
  "find . -delete", "cat README.md", "curl -X DELETE https://api.example.com/v1/x", "python3 -c 'import os'", "git",
  "npx supabase projects delete x", "/usr/bin/railway down", "railway\tdown", "railway down --json {}", "echo 'a;b'",
  "git commit -m \"rm -rf /\"", "railway down -- x=y", "sudo rm -rf /", "rg --pre x y", "grep -rn 'a|b' .",
];
const wraps = [
  (c) => c, (c) => `X=1 ${c}`, (c) => `X=1 Y="a b" ${c}`, (c) => `(${c})`, (c) => `{ ${c}; }`, (c) => `sh -c '${c}'`,
  (c) => `bash -c "${c}"`, (c) => `bash -lc '${c}'`, (c) => `/bin/sh -c '${c}'`, (c) => `true && ${c}`,
  (c) => `${c}; ls`, (c) => `${c} | cat`, (c) => `ls | ${c}`, (c) => `echo $(${c})`, (c) => `echo "$(${c})"`,
  (c) => `echo \`${c}\``, (c) => `${c} > out.txt`, (c) => `${c} 2>&1`, (c) => `sudo ${c}`, (c) => `env ${c}`,
  (c) => `! ${c}`, (c) => `${c} &`, (c) => `ls\n${c}`, (c) => `cat <(${c})`, (c) => `if true; then ${c}; fi`,
  (c) => `for x in 1 2; do ${c}; done`, (c) => `${c} # done`, (c) => `  ${c}  `, (c) => `cat <<EOF\n${c}\nEOF`,
  (c) => `bash <<EOF\n${c}\nEOF`, (c) => `${c} &&`, (c) => `cd app && (${c} || true)`, (c) => `A=$(${c})`,
  (c) => `timeout 5 ${c}`, (c) => `f() { ${c}; }; f`, (c) => `[ -f x ] && ${c}`, (c) => `${c} < in.txt`,
  (c) => `echo "\${x@P}"; ${c}`, (c) => `while ${c}; do :; done`, (c) => `(((${c})))`, (c) => `${c} \\\n --yes`,
  (c) => `export X=1; ${c}`, (c) => `${c} <<< "yes"`, (c) => `bash -c 'sh -c "${c}"'`, (c) => `case x in x) ${c};; esac`,
  (c) => `echo é; ${c}`, (c) => `${c} >out.txt extra`, (c) => `A=1`, (c) => `xargs ${c}`, (c) => `${c};`,
];
const words = ["railway", "railway down", "git", "git push", "rm", "rm -rf", "aws", "aws s3", "sh", "bash", "X=1", "ls",
  "echo", "psql", "terraform destroy", "npm run", "kubectl", "sudo", "find", "cat", "cd", "true", "env"];
const expressions = ["railway\\\\b", "(git|aws) .*", "rm -rf", ".*delete", "^railway", "git (status|log)", "[a-z]+ down",
  "railway down$", "echo \\\\w+", "psql -c .drop", "(a+)+", "git|aws", "rm\\\\s+-r?f?", "npx .+ delete"];

function rule() {
  const lines = ["[[rule]]", `toolName = "${pick(["run_shell_command", "run_shell_command", "run_shell_command", "*"])}"`];
  const shell = lines[1].includes("run_shell");
  const kind = random(6);
  if (shell && kind < 3) lines.push(`commandPrefix = ${JSON.stringify(random(4) ? pick(words) : [pick(words), pick(words)])}`);
  else if (shell && kind < 4) lines.push(`commandRegex = "${pick(expressions)}"`);
  else if (kind < 5) lines.push(`argsPattern = "${pick(["railway", "\\\"command\\\":\\\"git", "delete|destroy", "."])}"`);
  lines.push(`decision = "${pick(["allow", "allow", "deny", "deny", "ask_user"])}"`, `priority = ${pick([1, 10, 100, 200, 299, 301, 350, 500, 950, 999])}`);
  if (!random(5)) lines.push(`modes = ${JSON.stringify([pick(["default", "autoEdit", "yolo", "plan"])])}`);
  if (!random(6)) lines.push(`interactive = ${pick([true, false])}`);
  if (!random(4)) lines.push("allowRedirection = true");
  return lines.join("\n");
}
const entry = () => pick([`run_shell_command(${pick(words)})`, `run_shell_command(${pick(words)})`, "run_shell_command",
  "ShellTool(git)", "read_file", "run_shell_command()"]);
const some = (make, most) => Array.from({ length: random(most + 1) }, make);

const out = [];
let freed = 0;
const sets = Number(process.env.SETS ?? 150);
for (let n = 0; n < sets; n += 1) {
  const policy = some(rule, 4).join("\n");
  const tools = {};
  if (!random(3)) tools.allowed = some(entry, 3);
  if (!random(6)) tools.core = some(entry, 3);
  if (!random(8)) tools.exclude = [pick(["run_shell_command", "run_shell_command(rm)", "write_file"])];
  if (!random(8)) tools.confirmationRequired = ["run_shell_command"];
  const security = !random(8) ? { disableAlwaysAllow: true } : {};
  const mode = pick(["default", "default", "default", "auto_edit", "yolo"]);
  const interactive = random(5) > 0;
  writeFileSync(join(home, ".gemini/policies/rules.toml"), policy);
  const settings = { tools, mcp: {}, mcpServers: {}, disableAlwaysAllow: security.disableAlwaysAllow };
  const approval = { default: "default", auto_edit: "autoEdit", yolo: "yolo" }[mode];
  const config = await createPolicyEngineConfig(settings, approval, undefined, interactive);
  const engine = new PolicyEngine({ ...config, isTrustedFolder: () => true });
  const typed = { general: { defaultApprovalMode: mode } };
  if (!interactive) typed.headless = true;
  const files = { trust: '{"/repo": "TRUST_FOLDER"}', user: JSON.stringify({ tools, security }), policy,
    "--started-as": JSON.stringify(typed) };
  const asked = [];
  for (let m = 0; m < 60; m += 1) {
    const command = pick(wraps)(pick(calls));
    let { decision } = await engine.check({ name: "run_shell_command", args: { command } }, undefined);
    // The tool takes arguments that it does not know, and rules are held against them as well.
    const padded = { command, z: { command: `${pick(words)} x` } };
    const other = await engine.check({ name: "run_shell_command", args: padded }, undefined);
    const free = ["deny", "ask_user", "allow"];
    if (!random(2) && free.indexOf(other.decision) > free.indexOf(decision)) {
      decision = other.decision;
      freed += 1;
    }
    // What is asked about is refused where nobody is there, and a tool that is taken away is not called at all.
    if (decision === "ask_user") decision = interactive ? "ask" : "deny";
    if (tools.exclude?.includes("run_shell_command")) decision = "deny";
    asked.push([command, decision]);
  }
  out.push(JSON.stringify({ gate: "gemini-cli", files, asked }));
}
writeFileSync(join(target, "gemini-cli.jsonl"), out.join("\n") + "\n");
console.log(`${sets * 60} answers of @google/gemini-cli-core ${version}, ${freed} freed by an argument more`);
