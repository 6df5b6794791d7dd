//! The frameworks, one after the other (floor 2).

use super::{Framework, Maker, Reach, Ready, Yes};

type Names = (&'static [&'static str], Option<usize>);
const NONE: Names = (&[], None);
const FIRST: Names = (&[], Some(0));

const fn maker(callee: &'static str, function: Names, name: Names) -> Maker {
    Maker { callee, function, name }
}

const fn above(callee: &'static str, name: Names) -> Maker {
    maker(callee, NONE, name)
}

const fn agent(callee: &'static str, tools: &'static [&'static str], place: Option<usize>) -> Maker {
    maker(callee, (tools, place), NONE)
}

const fn ready(callee: &'static str, name: &'static str, reaches: Reach) -> Ready {
    Ready { callee, name, reaches }
}

const TOOLS: &[&str] = &["tools"];

/// <https://docs.langchain.com/oss/python/langchain/tools>, <https://docs.langchain.com/oss/python/langchain/human-in-the-loop>
pub(super) const LANGCHAIN: Framework = Framework {
    id: "langchain",
    name: "LangChain",
    roots: &[
        "langchain",
        "langchain_core",
        "langchain_classic",
        "langchain_community",
        "langchain_experimental",
        "langgraph",
        "langgraph_supervisor",
        "langchain_mcp_adapters",
        "deepagents",
        "langchain_openai",
        "langchain_anthropic",
        "langchain_google_genai",
        "langchain_aws",
        "langchain_ollama",
        "langchain_mistralai",
        "langchain_groq",
        "@langchain/openai",
        "@langchain/anthropic",
        "@langchain/core",
        "@langchain/langgraph",
        "@langchain/community",
        "@langchain/classic",
        "@langchain/mcp-adapters",
    ],
    above: &[above("tool", FIRST)],
    makers: &[
        maker("StructuredTool.from_function", (&["func", "coroutine"], Some(0)), (&["name"], Some(2))),
        maker("Tool.from_function", (&["func", "coroutine"], Some(0)), (&["name"], Some(1))),
        maker("StructuredTool", (&["func", "coroutine"], None), (&["name"], None)),
        maker("Tool", (&["func", "coroutine"], Some(1)), (&["name"], Some(0))),
        maker("tool", FIRST, (&["name"], None)),
        maker("DynamicStructuredTool", (&["func"], None), (&["name"], None)),
        maker("DynamicTool", (&["func"], None), (&["name"], None)),
    ],
    bases: (&["BaseTool", "StructuredTool", "Tool"], &["_run", "_arun", "_call"]),
    agents: &[
        agent("create_agent", TOOLS, Some(1)),
        agent("create_react_agent", TOOLS, Some(1)),
        agent("create_deep_agent", TOOLS, Some(1)),
        agent("create_tool_calling_agent", TOOLS, Some(1)),
        agent("create_openai_tools_agent", TOOLS, Some(1)),
        agent("AgentExecutor", TOOLS, None),
        agent("initialize_agent", TOOLS, Some(0)),
        agent("create_supervisor", TOOLS, None),
        agent("ToolNode", TOOLS, Some(0)),
        agent("bind_tools", TOOLS, Some(0)),
        agent("createAgent", TOOLS, None),
        agent("createReactAgent", TOOLS, None),
        agent("createDeepAgent", TOOLS, None),
        agent("bindTools", TOOLS, Some(0)),
    ],
    plain: true,
    ready: &[
        ready("ShellTool", "terminal", Reach::Anything),
        ready("ShellToolMiddleware", "shell", Reach::Anything),
        ready("PythonREPLTool", "Python_REPL", Reach::Anything),
        ready("PythonAstREPLTool", "python_repl_ast", Reach::Anything),
        ready("create_pandas_dataframe_agent", "python_repl_ast", Reach::Anything),
        ready("create_csv_agent", "python_repl_ast", Reach::Anything),
        ready("create_python_agent", "python_repl_ast", Reach::Anything),
        ready("create_spark_dataframe_agent", "python_repl_ast", Reach::Anything),
        ready("LocalShellBackend", "execute", Reach::Anything),
        ready("QuerySQLDatabaseTool", "sql_db_query", Reach::Sql),
        ready("QuerySQLDataBaseTool", "sql_db_query", Reach::Sql),
        ready("SQLDatabaseToolkit", "sql_db_query", Reach::Sql),
        ready("create_sql_agent", "sql_db_query", Reach::Sql),
        ready("QuerySqlTool", "query-sql", Reach::Sql),
        ready("SqlToolkit", "query-sql", Reach::Sql),
        ready("RequestsToolkit", "requests_delete", Reach::Requests),
        ready("RequestsPostTool", "requests_post", Reach::Requests),
        ready("RequestsDeleteTool", "requests_delete", Reach::Requests),
        ready("RequestsPutTool", "requests_put", Reach::Requests),
        ready("RequestsPatchTool", "requests_patch", Reach::Requests),
        ready("DeleteFileTool", "file_delete", Reach::Files),
        ready("WriteFileTool", "write_file", Reach::Files),
        ready("MoveFileTool", "move_file", Reach::Files),
        ready("CopyFileTool", "copy_file", Reach::Files),
        ready("FileManagementToolkit", "write_file", Reach::Files),
    ],
    brings: &["MultiServerMCPClient", "load_mcp_tools", "load_tools", "MCPAdapter"],
    flag: None,
};

/// <https://openai.github.io/openai-agents-python/human_in_the_loop/>, <https://openai.github.io/openai-agents-js/guides/human-in-the-loop/>
pub(super) const OPENAI_AGENTS: Framework = Framework {
    id: "openai-agents",
    name: "OpenAI Agents SDK",
    roots: &["agents", "@openai/agents", "@openai/agents-core", "@openai/agents-realtime", "@openai/agents-extensions"],
    above: &[above("function_tool", (&["name_override"], None)), above("tool", (&["name_override"], None))],
    makers: &[
        maker("function_tool", (&["func"], Some(0)), (&["name_override"], None)),
        maker("FunctionTool", (&["on_invoke_tool"], Some(3)), (&["name"], Some(0))),
        maker("CustomTool", (&["on_invoke_tool"], Some(2)), (&["name"], Some(0))),
        maker("tool", (&["execute"], None), (&["name"], None)),
    ],
    bases: (&[], &[]),
    agents: &[
        agent("Agent", TOOLS, None),
        agent("RealtimeAgent", TOOLS, None),
        agent("SandboxAgent", TOOLS, None),
        agent("clone", TOOLS, None),
        agent("create", TOOLS, None),
    ],
    plain: false,
    ready: &[
        ready("ShellTool", "shell", Reach::Anything),
        ready("shellTool", "shell", Reach::Anything),
        ready("LocalShellTool", "local_shell", Reach::Anything),
        ready("ComputerTool", "computer_use_preview", Reach::Anything),
        ready("computerTool", "computer_use_preview", Reach::Anything),
        ready("ApplyPatchTool", "apply_patch", Reach::Files),
        ready("applyPatchTool", "apply_patch", Reach::Files),
        ready("codex_tool", "codex", Reach::Anything),
    ],
    brings: &[
        "MCPServerStdio",
        "MCPServerSse",
        "MCPServerSSE",
        "MCPServerStreamableHttp",
        "MCPServerManager",
        "HostedMCPTool",
        "hostedMcpTool",
        "Shell",
        "Filesystem",
    ],
    flag: Some(("needs_approval", Yes::True)),
};

/// <https://ai.pydantic.dev/deferred-tools/>
pub(super) const PYDANTIC_AI: Framework = Framework {
    id: "pydantic-ai",
    name: "Pydantic AI",
    roots: &["pydantic_ai"],
    above: &[above("tool", (&["name"], None)), above("tool_plain", (&["name"], None))],
    makers: &[
        maker("Tool", (&["function"], Some(0)), (&["name"], None)),
        maker("Tool.from_schema", (&["function"], Some(0)), (&["name"], Some(1))),
        maker("add_function", (&["func"], Some(0)), (&["name"], None)),
    ],
    bases: (&[], &[]),
    agents: &[agent("Agent", TOOLS, None), agent("override", TOOLS, None), agent("FunctionToolset", TOOLS, Some(0))],
    plain: true,
    ready: &[],
    brings: &[
        "MCPToolset",
        "load_mcp_toolsets",
        "MCP",
        "MCPServerStdio",
        "MCPServerSSE",
        "MCPServerStreamableHTTP",
        "FastMCPToolset",
        "load_mcp_servers",
        "MCPServerTool",
        "tool_from_langchain",
        "LangChainToolset",
        "tool_from_aci",
        "toolset",
    ],
    flag: Some(("requires_approval", Yes::True)),
};

/// <https://google.github.io/adk-docs/tools-custom/confirmation/>
pub(super) const GOOGLE_ADK: Framework = Framework {
    id: "google-adk",
    name: "Google ADK",
    roots: &["google.adk"],
    above: &[],
    makers: &[
        maker("FunctionTool", (&["func"], Some(0)), NONE),
        maker("LongRunningFunctionTool", (&["func"], Some(0)), NONE),
    ],
    bases: (&["BaseTool"], &["run_async"]),
    agents: &[agent("Agent", TOOLS, None), agent("LlmAgent", TOOLS, None)],
    plain: true,
    ready: &[
        ready("ExecuteBashTool", "execute_bash", Reach::Anything),
        ready("UnsafeLocalCodeExecutor", "code", Reach::Anything),
        ready("ComputerUseToolset", "computer", Reach::Anything),
        ready("LocalEnvironment", "Execute", Reach::Anything),
    ],
    brings: &[
        "McpToolset",
        "MCPToolset",
        "OpenAPIToolset",
        "APIHubToolset",
        "ToolboxToolset",
        "GoogleApiToolset",
        "LangchainTool",
        "CrewaiTool",
        "BigQueryToolset",
        "SpannerToolset",
        "SpannerAdminToolset",
        "BigtableToolset",
    ],
    flag: Some(("require_confirmation", Yes::True)),
};

/// <https://docs.crewai.com/en/learn/create-custom-tools>, <https://docs.crewai.com/en/learn/human-input-on-execution>
pub(super) const CREWAI: Framework = Framework {
    id: "crewai",
    name: "CrewAI",
    roots: &["crewai", "crewai_tools"],
    above: &[above("tool", FIRST)],
    makers: &[
        maker("Tool", (&["func"], None), (&["name"], None)),
        maker("from_function", (&["func"], Some(0)), (&["name"], None)),
    ],
    bases: (&["BaseTool"], &["_run", "_arun"]),
    agents: &[agent("Agent", TOOLS, None), agent("Task", TOOLS, None)],
    plain: false,
    ready: &[
        ready("CodeInterpreterTool", "code_interpreter", Reach::Anything),
        ready("NL2SQLTool", "nl2sql_tool", Reach::Sql),
        ready("FileWriterTool", "file_writer_tool", Reach::Files),
    ],
    brings: &[
        "MCPServerAdapter",
        "MCPServerStdio",
        "MCPServerHTTP",
        "MCPServerSSE",
        "ComposioTool",
        "ZapierActionTools",
    ],
    flag: None,
};

/// <https://developers.llamaindex.ai/python/framework/understanding/agent/human_in_the_loop/>
pub(super) const LLAMAINDEX: Framework = Framework {
    id: "llamaindex",
    name: "LlamaIndex",
    roots: &["llama_index", "llamaindex", "@llamaindex/workflow", "@llamaindex/core"],
    above: &[],
    makers: &[
        maker("FunctionTool.from_defaults", (&["fn", "async_fn"], Some(0)), (&["name"], Some(1))),
        maker("FunctionTool", (&["fn"], Some(0)), (&["name"], None)),
        maker("tool", (&["execute"], Some(0)), (&["name"], None)),
    ],
    bases: (&["BaseTool", "AsyncBaseTool"], &["__call__", "call", "acall"]),
    agents: &[
        agent("FunctionAgent", TOOLS, None),
        agent("ReActAgent", TOOLS, None),
        agent("CodeActAgent", TOOLS, None),
        agent("AgentWorkflow.from_tools_or_functions", &["tools_or_functions"], Some(0)),
        agent("FunctionCallingAgentWorker.from_tools", TOOLS, Some(0)),
        agent("FunctionCallingAgent.from_tools", TOOLS, Some(0)),
        agent("ReActAgent.from_tools", TOOLS, Some(0)),
        agent("OpenAIAgent.from_tools", TOOLS, Some(0)),
        agent("agent", TOOLS, None),
    ],
    plain: true,
    ready: &[
        ready("CodeInterpreterToolSpec", "code_interpreter", Reach::Anything),
        ready("DatabaseToolSpec", "load_data", Reach::Sql),
        ready("RequestsToolSpec", "post_request", Reach::Requests),
    ],
    brings: &["McpToolSpec", "BasicMCPClient", "get_tools_from_mcp_url", "aget_tools_from_mcp_url"],
    flag: None,
};

/// <https://huggingface.co/docs/smolagents/tutorials/secure_code_execution>
pub(super) const SMOLAGENTS: Framework = Framework {
    id: "smolagents",
    name: "smolagents",
    roots: &["smolagents"],
    above: &[above("tool", NONE)],
    makers: &[],
    bases: (&["Tool"], &["forward"]),
    agents: &[
        agent("ToolCallingAgent", TOOLS, Some(0)),
        agent("CodeAgent", TOOLS, Some(0)),
        agent("MultiStepAgent", TOOLS, Some(0)),
    ],
    plain: false,
    ready: &[
        ready("PythonInterpreterTool", "python_interpreter", Reach::Anything),
        ready("UserInputTool", "user_input", Reach::Nothing),
    ],
    brings: &[
        "ToolCollection.from_mcp",
        "from_mcp",
        "MCPClient",
        "load_tool",
        "from_hub",
        "from_langchain",
        "from_space",
        "from_gradio",
    ],
    flag: None,
};

/// <https://github.com/anthropics/anthropic-sdk-python/blob/009b035305e0724ce108ebd796935f91711fc6e1/tools.md>
pub(super) const ANTHROPIC: Framework = Framework {
    id: "anthropic",
    name: "Anthropic API",
    roots: &["anthropic", "@anthropic-ai/sdk", "@anthropic-ai/bedrock-sdk", "@anthropic-ai/vertex-sdk"],
    above: &[above("beta_tool", (&["name"], None)), above("beta_async_tool", (&["name"], None))],
    makers: &[
        maker("beta_tool", (&["func"], Some(0)), (&["name"], None)),
        maker("beta_async_tool", (&["func"], Some(0)), (&["name"], None)),
        maker("betaZodTool", (&["run"], None), (&["name"], None)),
        maker("betaTool", (&["run"], None), (&["name"], None)),
        maker("betaStandardSchemaTool", (&["run"], None), (&["name"], None)),
    ],
    bases: (&["BetaBuiltinFunctionTool", "BetaAsyncBuiltinFunctionTool"], &["call"]),
    agents: &[
        agent("create", TOOLS, None),
        agent("stream", TOOLS, None),
        agent("parse", TOOLS, None),
        agent("tool_runner", TOOLS, None),
        agent("toolRunner", TOOLS, None),
    ],
    plain: false,
    ready: &[
        ready("beta_bash_tool", "bash", Reach::Anything),
        ready("betaBashTool", "bash", Reach::Anything),
        ready("beta_agent_toolset_20260401", "bash", Reach::Anything),
        ready("betaAgentToolset20260401", "bash", Reach::Anything),
    ],
    brings: &["mcp_tool", "async_mcp_tool", "mcpTool", "mcpTools"],
    flag: None,
};

/// <https://code.claude.com/docs/en/agent-sdk/permissions>, <https://code.claude.com/docs/en/agent-sdk/custom-tools>
pub(super) const CLAUDE_AGENT_SDK: Framework = Framework {
    id: "claude-agent-sdk",
    name: "Claude Agent SDK",
    roots: &["claude_agent_sdk", "claude_code_sdk", "@anthropic-ai/claude-agent-sdk", "@anthropic-ai/claude-code"],
    above: &[above("tool", (&["name"], Some(0)))],
    makers: &[maker("tool", (&["handler"], Some(3)), (&["name"], Some(0)))],
    bases: (&[], &[]),
    agents: &[agent("create_sdk_mcp_server", TOOLS, Some(2)), agent("createSdkMcpServer", TOOLS, None)],
    plain: false,
    ready: &[],
    brings: &[],
    flag: None,
};

/// <https://ai-sdk.dev/docs/agents/tool-approvals>
pub(super) const AI_SDK: Framework = Framework {
    id: "ai-sdk",
    name: "Vercel AI SDK",
    roots: &["ai", "@ai-sdk/mcp", "@ai-sdk/workflow", "@ai-sdk/anthropic", "@ai-sdk/openai", "@ai-sdk/google"],
    above: &[],
    makers: &[
        maker("tool", (&["execute"], None), NONE),
        maker("dynamicTool", (&["execute"], None), NONE),
        maker("tools.bash_20241022", (&["execute"], None), NONE),
        maker("tools.bash_20250124", (&["execute"], None), NONE),
        maker("tools.computer_20241022", (&["execute"], None), NONE),
        maker("tools.computer_20250124", (&["execute"], None), NONE),
        maker("tools.shell", (&["execute"], None), NONE),
        maker("tools.localShell", (&["execute"], None), NONE),
        maker("tools.applyPatch", (&["execute"], None), NONE),
    ],
    bases: (&[], &[]),
    agents: &[
        agent("generateText", TOOLS, None),
        agent("streamText", TOOLS, None),
        agent("ToolLoopAgent", TOOLS, None),
        agent("Experimental_Agent", TOOLS, None),
        agent("WorkflowAgent", TOOLS, None),
    ],
    plain: false,
    ready: &[],
    brings: &["createMCPClient", "experimental_createMCPClient"],
    flag: Some(("needsApproval", Yes::True)),
};

/// <https://mastra.ai/docs/agents/agent-approval>
pub(super) const MASTRA: Framework = Framework {
    id: "mastra",
    name: "Mastra",
    roots: &["@mastra/core", "@mastra/mcp"],
    above: &[],
    makers: &[maker("createTool", (&["execute"], None), (&["id"], None))],
    bases: (&[], &[]),
    agents: &[agent("Agent", TOOLS, None)],
    plain: false,
    ready: &[ready("LocalSandbox", "mastra_workspace_execute_command", Reach::Anything)],
    brings: &["MCPClient"],
    flag: Some(("requireApproval", Yes::True)),
};

/// <https://microsoft.github.io/autogen/0.2/docs/reference/agentchat/conversable_agent/>, <https://docs.ag2.ai/>
pub(super) const AUTOGEN: Framework = Framework {
    id: "autogen",
    name: "AutoGen",
    roots: &["autogen", "autogen_agentchat", "autogen_core", "autogen_ext", "ag2"],
    above: &[
        above("register_for_llm", (&["name"], None)),
        above("register_for_execution", (&["name"], None)),
        above("tool", (&["name"], None)),
    ],
    makers: &[
        maker("register_function", (&["f"], Some(0)), (&["name"], None)),
        maker("FunctionTool", (&["func"], Some(0)), (&["name"], None)),
    ],
    bases: (&["BaseTool"], &["run"]),
    agents: &[
        agent("AssistantAgent", &["tools", "functions"], None),
        agent("ConversableAgent", &["tools", "functions"], None),
        agent("Agent", TOOLS, None),
        agent("run", TOOLS, None),
    ],
    plain: true,
    ready: &[
        ready("CodeExecutorAgent", "code", Reach::Anything),
        ready("PythonCodeExecutionTool", "CodeExecutor", Reach::Anything),
        ready("MagenticOne", "code", Reach::Anything),
        ready("SandboxShellTool", "shell", Reach::Anything),
        ready("SandboxCodeTool", "code", Reach::Anything),
    ],
    brings: &["McpWorkbench", "mcp_server_tools", "HttpTool", "LangChainToolAdapter"],
    flag: None,
};

/// <https://learn.microsoft.com/agent-framework/agents/tools/tool-approval>
pub(super) const AGENT_FRAMEWORK: Framework = Framework {
    id: "agent-framework",
    name: "Microsoft Agent Framework",
    roots: &["agent_framework", "agent_framework_tools"],
    above: &[above("tool", (&["name"], None)), above("ai_function", (&["name"], None))],
    makers: &[
        maker("tool", (&["func"], Some(0)), (&["name"], None)),
        maker("ai_function", (&["func"], Some(0)), (&["name"], None)),
        maker("FunctionTool", (&["func"], None), (&["name"], None)),
        maker("AIFunction", (&["func"], None), (&["name"], None)),
        maker("get_shell_tool", (&["func"], None), (&["name"], None)),
    ],
    bases: (&[], &[]),
    agents: &[
        agent("Agent", TOOLS, None),
        agent("ChatAgent", TOOLS, None),
        agent("as_agent", TOOLS, None),
        agent("create_agent", TOOLS, None),
        agent("run", TOOLS, None),
    ],
    plain: true,
    ready: &[ready("LocalShellTool", "run_shell", Reach::Anything)],
    brings: &["MCPStdioTool", "MCPStreamableHTTPTool", "MCPWebsocketTool", "get_mcp_tool"],
    flag: Some(("approval_mode", Yes::Word("always_require"))),
};

/// <https://learn.microsoft.com/semantic-kernel/concepts/enterprise-readiness/filters>
pub(super) const SEMANTIC_KERNEL: Framework = Framework {
    id: "semantic-kernel",
    name: "Semantic Kernel",
    roots: &["semantic_kernel"],
    above: &[above("kernel_function", (&["name"], None))],
    makers: &[],
    bases: (&[], &[]),
    agents: &[],
    plain: false,
    ready: &[ready("HttpPlugin", "http", Reach::Requests)],
    brings: &["MCPStdioPlugin", "MCPSsePlugin", "MCPStreamableHttpPlugin", "MCPWebsocketPlugin"],
    flag: None,
};

/// <https://platform.openai.com/docs/guides/function-calling>
pub(super) const OPENAI: Framework = Framework {
    id: "openai",
    name: "OpenAI API",
    roots: &["openai"],
    above: &[],
    makers: &[],
    bases: (&[], &[]),
    agents: &[
        agent("create", TOOLS, None),
        agent("parse", TOOLS, None),
        agent("stream", TOOLS, None),
        agent("runTools", TOOLS, None),
    ],
    plain: false,
    ready: &[],
    brings: &["ResponsesToolRunner"],
    flag: None,
};
