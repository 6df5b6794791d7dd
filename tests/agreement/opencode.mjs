// Holds ours of OpenCode against the parser that it uses: the grammar of Bash of tree-sitter, from npm. What it does with
// the commands that the parser finds is written here in few lines, as its program does it: each command's text, with its
// redirects, against the rules, of which the last that matches has the word.
//
//   node tests/agreement/opencode.mjs && cargo test -p deadstop-core --test agreement -- --ignored --nocapture
//
// The packages come from npm into target/agreement/opencode, and nothing of them stays in this repository.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const target = join(dirname(fileURLToPath(import.meta.url)), "../../target/agreement");
const folder = join(target, "opencode");
if (!existsSync(join(folder, "node_modules/web-tree-sitter"))) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}");
  const packages = ["web-tree-sitter@0.25.10", "tree-sitter-bash@0.25.0"];
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...packages], { cwd: folder });
}
const modules = join(folder, "node_modules");
const { Parser, Language } = await import(pathToFileURL(join(modules, "web-tree-sitter/tree-sitter.js")).href);
await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load(join(modules, "tree-sitter-bash/tree-sitter-bash.wasm")));

// A generator of numbers that gives the same ones each time.
let seed = Number(process.env.SEED ?? 20261130);
const random = (below) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 4294967296) * below);
};
const pick = (list) => list[random(list.length)];

const matches = (pattern, text) => {
  let escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*").replace(/\?/g, ".");
  if (escaped.endsWith(" .*")) escaped = `${escaped.slice(0, -3)}( .*)?`;
  return new RegExp(`^${escaped}$`, "s").test(text);
};
const moves = ["cd", "chdir", "popd", "pushd"];
const kinds = ["command_name", "word", "string", "raw_string", "concatenation"];

function decided(line, rules) {
  const last = rules.findLast((rule) => matches(rule.permission, "bash"));
  if (last.pattern === "*" && last.action === "deny") return "deny";
  let met = "allow";
  for (const node of parser.parse(line).rootNode.descendantsOfType("command")) {
    const words = node.children.filter((child) => child && kinds.includes(child.type)).map((child) => child.text);
    if (words.length === 0 || moves.includes(words[0])) continue;
    const text = (node.parent?.type === "redirected_statement" ? node.parent.text : node.text).trim();
    const rule = rules.findLast((one) => matches(one.permission, "bash") && matches(one.pattern, text));
    if (rule.action === "deny") return "deny";
    if (rule.action === "ask") met = "ask";
  }
  return met;
}

const calls = [
  "railway down", "railway volume delete --volume v --yes", "aws s3 rb s3://b --force", "git push --force", "git  push",
  "terraform destroy -auto-approve", "psql -c 'drop table users'", 'psql -c "drop table users"', "npm run deploy",
  "git status", "ls -la", "echo hi", "curl -X DELETE https://api.example.com/v1/x", "git", "railway\tdown",
  "echo 'a;b'", "git commit -m \"rm -rf /\"", "railway down -- x=y", "cd app", "railway down --json {}",
];
const wraps = [
  (c) => c, (c) => `X=1 ${c}`, (c) => `(${c})`, (c) => `{ ${c}; }`, (c) => `sh -c '${c}'`, (c) => `bash -c "${c}"`,
  (c) => `true && ${c}`, (c) => `${c}; ls`, (c) => `${c} | cat`, (c) => `ls | ${c} > out.txt`, (c) => `echo $(${c})`,
  (c) => `echo "$(${c})"`, (c) => `echo \`${c}\``, (c) => `${c} > out.txt`, (c) => `${c} 2>&1`, (c) => `sudo ${c}`,
  (c) => `! ${c}`, (c) => `${c} &`, (c) => `ls\n${c}`, (c) => `cat <(${c})`, (c) => `if true; then ${c}; fi`,
  (c) => `for x in 1 2; do ${c}; done`, (c) => `${c} # done`, (c) => `  ${c}  `, (c) => `cat <<EOF\n${c}\nEOF`,
  (c) => `bash <<'EOF'\n${c}\nEOF\n`, (c) => `${c} &&`, (c) => `cd app && (${c} || true)`, (c) => `A=$(${c})`,
  (c) => `f() { ${c}; }; f`, (c) => `[ -f x ] && ${c}`, (c) => `${c} < in.txt`, (c) => `while ${c}; do :; done`,
  (c) => `ls && ${c} > out.txt`, (c) => `(ls; ${c}) > out.txt`, (c) => `${c} \\\n --yes`, (c) => `export X=1; ${c}`,
  (c) => `${c} <<< "yes"`, (c) => `case x in x) ${c};; esac`, (c) => `echo é; ${c}`, (c) => `${c} >out.txt extra`,
  (c) => `A=1`, (c) => `export A=1`, (c) => `[[ -n $X ]] && ${c}`, (c) => `${c};`, (c) => `time ${c}`,
  (c) => `if ${c}; then ls; else ${c}; fi > out.txt`, (c) => `${c} || { ls; exit 1; }`, (c) => `"${c.split(" ")[0]}" x`,
];
const patterns = ["*", "railway *", "railway down", "git *", "git push*", "*delete*", "X=1 *", "sh *", "* > out.txt",
  "ls", "ls *", "echo ?i", "psql *", "*down", "cat *", "true", "bash *", "terraform destroy *", "[ *", "export *"];
const actions = ["allow", "ask", "deny"];

const out = [];
const sets = Number(process.env.SETS ?? 150);
for (let n = 0; n < sets; n += 1) {
  const bash = random(3) ? { "*": pick(actions) } : {};
  for (let m = random(5); m > 0; m -= 1) bash[pick(patterns)] = pick(actions);
  const permission = random(4) ? { bash } : { bash, [pick(["*", "b*", "ba?h"])]: pick(actions) };
  const rules = [{ permission: "*", pattern: "*", action: "allow" }];
  for (const [key, value] of Object.entries(permission)) {
    if (typeof value === "string") rules.push({ permission: key, pattern: "*", action: value });
    else for (const [pattern, action] of Object.entries(value)) rules.push({ permission: key, pattern, action });
  }
  const asked = [];
  for (let m = 0; m < 60; m += 1) {
    const command = pick(wraps)(pick(calls));
    asked.push([command, decided(command, rules)]);
  }
  const agent = { explore: { disable: true }, general: { disable: true } };
  out.push(JSON.stringify({ gate: "opencode", files: { user: JSON.stringify({ permission, agent }) }, asked }));
}
writeFileSync(join(target, "opencode.jsonl"), `${out.join("\n")}\n`);
console.log(`${sets * 60} answers`);
