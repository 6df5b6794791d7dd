// Holds ours of Qwen Code against its own matcher: the functions of the package on npm that cut a line, match a rule and tell
// what only reads. What it does with their answers is written here in few lines, as its permission manager does it: the
// strictest command of a line counts; refusals, questions, permissions.
//
//   node tests/agreement/qwen.mjs && cargo test -p deadstop-core --test agreement -- --ignored --nocapture
//
// The package comes from npm into target/agreement/qwen, and nothing of it stays in this repository.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const target = join(dirname(fileURLToPath(import.meta.url)), "../../target/agreement");
const folder = join(target, "qwen");
if (!existsSync(join(folder, "package/chunks"))) {
  mkdirSync(folder, { recursive: true });
  const packed = execFileSync("npm", ["pack", "--silent", "@qwen-code/qwen-code@0.24.4"], { cwd: folder, encoding: "utf8" });
  execFileSync("tar", ["xzf", join(folder, packed.trim().split("\n").at(-1)), "-C", folder]);
}
const chunks = join(folder, "package/chunks");
const holding = (text) => {
  const found = readdirSync(chunks).find((name) => name.endsWith(".js") && readFileSync(join(chunks, name), "utf8").includes(text));
  return import(pathToFileURL(join(chunks, found)).href);
};
const { splitCompoundCommand, matchesRule, parseRule } = await holding("\nfunction matchesCommandPattern(");
const { isShellCommandReadOnlyASTInDirectory } = await holding("\nasync function isShellCommandReadOnlyASTInDirectory(");

async function one(command, rules) {
  const named = (list) => list.some((rule) => matchesRule(rule, "run_shell_command", command));
  if (named(rules.deny)) return "deny";
  if (named(rules.ask)) return "ask";
  if (named(rules.allow)) return "allow";
  return (await isShellCommandReadOnlyASTInDirectory(command, "/repo")) ? "allow" : "ask";
}

async function decided(line, rules, mode) {
  const order = ["allow", "ask", "deny"];
  const each = await Promise.all(splitCompoundCommand(line).map((command) => one(command, rules)));
  const met = order[Math.max(...each.map((word) => order.indexOf(word)))];
  return mode === "yolo" && met === "ask" ? "allow" : met;
}

// A generator of numbers that gives the same ones each time.
let seed = Number(process.env.SEED ?? 20261130);
const random = (below) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 4294967296) * below);
};
const pick = (list) => list[random(list.length)];

const calls = [
  "railway down", "railway volume delete --volume v --yes", "aws s3 rb s3://b --force", "git push --force", "git  push",
  "terraform destroy -auto-approve", "psql -c 'drop table users'", 'psql -c "drop table users"', "rm -rf data",
  "git status", "ls -la", "echo hi", "curl -X DELETE https://api.example.com/v1/x", "git", "railway\tdown", "git branch -D x",
  "echo 'a;b'", "git commit -m \"rm -rf /\"", "railway down -- x=y", "cd app", "railway down --json {}", "find . -delete",
  "cat x", "sort -o a b", "'railway' down", "npx tool", "sed -i s/a/b/ x", "date -s x", "head -n 3 x", "pwd", "which x",
];
const wraps = [
  (c) => c, (c) => `X=1 ${c}`, (c) => `(${c})`, (c) => `{ ${c}; }`, (c) => `sh -c '${c}'`, (c) => `bash -c "${c}"`,
  (c) => `true && ${c}`, (c) => `${c}; ls`, (c) => `${c} | cat`, (c) => `ls | ${c} > out.txt`, (c) => `echo $(${c})`,
  (c) => `echo "$(${c})"`, (c) => `${c} > out.txt`, (c) => `${c} 2>&1`, (c) => `sudo ${c}`, (c) => `${c} &`, (c) => `ls\n${c}`,
  (c) => `cat <(${c})`, (c) => `if true; then ${c}; fi`, (c) => `for x in 1 2; do ${c}; done`, (c) => `${c} # done`,
  (c) => `  ${c}  `, (c) => `cat <<EOF\n${c}\nEOF`, (c) => `${c} &&`, (c) => `A=$(${c})`, (c) => `[ -f x ] && ${c}`,
  (c) => `${c} \\\n --yes`, (c) => `export X=1; ${c}`, (c) => `echo é; ${c}`, (c) => `${c} & ls`, (c) => `${c} |& cat`,
  () => "A=1", (c) => `${c};`, (c) => `time ${c}`, (c) => `${c} || { ls; exit 1; }`, (c) => `"${c.split(" ")[0]}" x`, () => "",
];
const specifiers = ["Bash", "Bash(*)", "Bash(railway *)", "Bash(railway down)", "Bash(git:*)", "Bash(git push)", "Bash(* down)",
  "Bash(rail*)", "Bash(sh *)", "Bash(ls)", "Bash(echo*)", "Bash(X=1 *)", "Bash(psql *)", "ShellTool(rm *)", "Bash(true)",
  "Bash(cat *", "Bash()", "Bash(* > out.txt)", "run_shell_command(terraform destroy *)", "Bash(*delete*)", "Bash(if *)"];

const out = [];
const sets = Number(process.env.SETS ?? 150);
for (let n = 0; n < sets; n += 1) {
  const permissions = { allow: [], ask: [], deny: [] };
  for (let m = random(6); m > 0; m -= 1) permissions[pick(["allow", "allow", "ask", "deny"])].push(pick(specifiers));
  const rules = Object.fromEntries(Object.entries(permissions).map(([key, list]) => [key, list.map(parseRule)]));
  const mode = pick(["default", "default", "yolo"]);
  const asked = [];
  for (let m = 0; m < 60; m += 1) {
    const command = pick(wraps)(pick(calls));
    asked.push([command, await decided(command, rules, mode)]);
  }
  const settings = { tools: { approvalMode: mode }, permissions };
  out.push(JSON.stringify({ gate: "qwen-code", files: { user: JSON.stringify(settings) }, asked }));
}
writeFileSync(join(target, "qwen-code.jsonl"), `${out.join("\n")}\n`);
console.log(`${sets * 60} answers`);
