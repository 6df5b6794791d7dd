// Holds ours of VS Code's agent mode against its own approver of commands, which is in packages on npm, and against the
// grammar of Bash that it cuts lines by. What it does with the approver's answers is written here in few lines, as its
// analyzer does it: every command has to be approved and none denied, or a rule for the whole line approves.
//
//   node tests/agreement/vscode.mjs && cargo test -p deadstop-core --test agreement -- --ignored --nocapture
//
// The packages come from npm into target/agreement/vscode, and nothing of them stays in this repository.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const target = join(dirname(fileURLToPath(import.meta.url)), "../../target/agreement");
const folder = join(target, "vscode");
const packages = ["@codingame/monaco-vscode-chat-service-override@36.2.7", "@codingame/monaco-vscode-api@37.6.1"];
const grammar = ["web-tree-sitter@0.25.10", "@vscode/tree-sitter-wasm@0.3.1"];
if (!existsSync(join(folder, "node_modules/web-tree-sitter"))) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}");
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...grammar], { cwd: folder });
}
const inside = packages.map((name) => {
  const own = join(folder, name.split("@")[1].replace("/", "-"));
  if (!existsSync(own)) {
    const packed = execFileSync("npm", ["pack", "--silent", name], { cwd: folder, encoding: "utf8" }).trim().split("\n").at(-1);
    mkdirSync(own);
    execFileSync("tar", ["xzf", join(folder, packed), "-C", own, "--strip-components=1"]);
  }
  return join(own, "vscode/src/vs");
});
const [chat, api] = inside;

// A module's text without what it takes from others, and what it is given instead.
function taken(path, given, wanted) {
  const text = readFileSync(path, "utf8")
    .replace(/^import [\s\S]*?;$/gm, "")
    .replace(/^export [\s\S]*?;$/gm, "")
    .replace(/^\w+ = \( __decorate\([\s\S]*?\)\);$/gm, "");
  return new Function(...Object.keys(given), `${text}\nreturn ${wanted};`)(...Object.values(given));
}
const any = new Proxy({}, { get: (_, key) => String(key) });
const strings = readFileSync(join(api, "base/common/strings.js"), "utf8");
const named = (name) => new Function(`${strings.match(new RegExp(`^function ${name}\\([\\s\\S]*?^}`, "m"))[0]}\nreturn ${name};`)();
const auto = join(api, "platform/terminal/common/autoApprove");
const rules = (name) => taken(join(auto, `${name}.js`), {}, name);
const configuration = taken(
  join(api, "workbench/contrib/terminalContrib/chatAgentTools/common/terminalChatAgentToolsConfiguration.js"),
  {
    localize: () => "", AgentSandboxSettingId: any, AgentSandboxEnabledValue: any, TerminalSettingId: any, PolicyCategory: any,
    terminalProfileBaseProperties: {}, gitAutoApproveRules: rules("gitAutoApproveRules"),
    powershellAutoApproveRules: rules("powershellAutoApproveRules"), sortAutoApproveRules: rules("sortAutoApproveRules"),
  },
  "terminalChatAgentToolsConfiguration",
);
const defaults = configuration["chat.tools.terminal.autoApprove"].default;
const Approver = taken(
  join(chat, "workbench/contrib/terminalContrib/chatAgentTools/browser/tools/commandLineAnalyzer/autoApprove/commandLineAutoApprover.js"),
  {
    structuralEquals: (a, b) => JSON.stringify(a) === JSON.stringify(b), isObject: (one) => typeof one === "object" && one !== null,
    Disposable: class { _register(one) { return one; } }, ConfigurationTarget: any, isPowerShell: () => false,
    escapeRegExpCharacters: named("escapeRegExpCharacters"), regExpLeadsToEndlessLoop: named("regExpLeadsToEndlessLoop"),
    NpmScriptAutoApprover: class {}, TerminalChatAgentToolsSettingId: {
      AutoApprove: "chat.tools.terminal.autoApprove",
      IgnoreDefaultAutoApproveRules: "chat.tools.terminal.ignoreDefaultAutoApproveRules",
      DeprecatedAutoApproveCompatible: "chat.agent.terminal.autoApprove",
    },
  },
  "CommandLineAutoApprover",
);

const modules = join(folder, "node_modules");
const { Parser, Language, Query } = await import(pathToFileURL(join(modules, "web-tree-sitter/tree-sitter.js")).href);
await Parser.init();
const bash = await Language.load(join(modules, "@vscode/tree-sitter-wasm/wasm/tree-sitter-bash.wasm"));
const parser = new Parser();
parser.setLanguage(bash);
const query = new Query(bash, "(command) @command (variable_assignment) @other (declaration_command) @other");

function approver(settings) {
  const own = settings["chat.tools.terminal.autoApprove"] ?? {};
  const value = { ...settings, "chat.tools.terminal.autoApprove": { ...defaults, ...own } };
  const inspected = { default: { value: defaults }, userValue: own, userLocalValue: own };
  const configured = { getValue: (key) => value[key], inspect: () => inspected, onDidChangeConfiguration: () => ({}) };
  const created = { createInstance: () => ({ isCommandAutoApproved: async () => ({ isAutoApproved: false }) }) };
  return new Approver(configured, created, { getSessionAutoApproveRules: () => ({}) });
}

async function decided(line, own) {
  const text = line.trimStart();
  if (!text) return "allow";
  const captures = query.captures(parser.parse(text).rootNode);
  const commands = captures.filter((one) => one.name === "command").map((one) => one.node.text);
  const other = captures.some((one) =>
    one.name === "other" && (one.node.type !== "variable_assignment" || one.node.parent?.type !== "command"));
  if (commands.length === 0) return "ask";
  const each = await Promise.all(commands.map((one) => own.isCommandAutoApproved(one, "bash", 3, undefined)));
  const whole = own.isCommandLineAutoApproved(text);
  if (each.some((one) => one.result === "denied") || whole.result === "denied" || other) return "ask";
  return each.every((one) => one.result === "approved") || whole.result === "approved" ? "allow" : "ask";
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
  "find . -name x", "sort -o a b", "sort a", "git log --output=x", "git -C x status", "docker ps", "npm audit fix", "npm ci",
  "./bin/run.sh x", "bin/run.sh", "date -s x", "xxd -r a b", "tree -o x", "rg --pre x y", "yarn audit --fix", "jq . x", "dd if=a",
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
  () => "A=1", () => "export A=1", (c) => `[[ -n $X ]] && ${c}`, (c) => `${c};`, (c) => `time ${c}`, () => "",
  (c) => `if ${c}; then ls; else ${c}; fi > out.txt`, (c) => `${c} || { ls; exit 1; }`, (c) => `"${c.split(" ")[0]}" x`,
];
const keys = [
  "railway", "railway down", "git", "git push", "/delete/", "/^railway (down|up)\\b/", "/.*/", "/(.*)/", "/^/", "/a*/", "sh",
  "bash", "ls", "echo", "psql", "/down$/", "cat", "true", "terraform", "/TERRAFORM/i", "bin/run.sh", "./bin/run.sh", "rm", "curl",
  "/^rail(?!way status)/", "/[/", "/^git\\s+push/g", "sudo", "", "find", "/out\\.txt/", "[", "exit", "/^aws s3/s", "f", ":",
];
const values = [true, true, false, null, { approve: true, matchCommandLine: true }, { approve: false, matchCommandLine: true },
  { approve: true }, "true"];

const out = [];
const sets = Number(process.env.SETS ?? 150);
for (let n = 0; n < sets; n += 1) {
  const own = {};
  for (let m = random(6); m > 0; m -= 1) own[pick(keys)] = pick(values);
  const settings = {
    "chat.tools.terminal.autoApprove": own, "chat.tools.terminal.ignoreDefaultAutoApproveRules": random(3) === 0,
    "chat.tools.terminal.blockDetectedFileWrites": "never",
  };
  const judge = approver(settings);
  const asked = [];
  for (let m = 0; m < 60; m += 1) {
    const command = pick(wraps)(pick(calls));
    asked.push([command, await decided(command, judge)]);
  }
  out.push(JSON.stringify({ gate: "vscode", files: { user: JSON.stringify(settings) }, asked }));
}
writeFileSync(join(target, "vscode.jsonl"), `${out.join("\n")}\n`);
console.log(`${sets * 60} answers`);
