#!/bin/sh
# Try the command-line tools of docs/openai.md against a running server, by hand:
#
#   tests/clients/command_line_tools.sh http://127.0.0.1:8080/openai/v1 qk_… FOLDER
#
# FOLDER has them: `pip install llm aider-chat`, `npm i @openai/codex opencode-ai promptfoo`. Each
# prints what the model says; the exit status of the tool follows.
set -u
url=$1 key=$2 PATH=$3:$PATH
work=$(mktemp -d) && cd "$work" || exit 1
export OPENAI_API_KEY="$key" LLM_USER_PATH="$work/llm" CODEX_HOME="$work/codex" HOME="$work"
mkdir -p llm codex && git init -q . && echo hello > a.txt

cat > llm/extra-openai-models.yaml <<END
- {model_id: q, model_name: quillium-demo, api_base: "$url", api_key_name: quillium,
   supports_tools: true, supports_schema: true}
END
llm keys set quillium --value "$key"
llm -m q "Hello" -o max_tokens 5; echo "llm: $?"
llm -m q --schema 'name, age int' "Ada is 36"; echo "llm, schema: $?"

aider --model openai/quillium-demo --openai-api-base "$url" --openai-api-key "$key" --yes \
  --message "Hello" --no-check-update --no-analytics --no-show-model-warnings a.txt
echo "aider: $?"

cat > pf.yaml <<END
prompts: ["Hello, my name is {{name}}"]
providers: [{id: "openai:chat:quillium-demo", config: {apiBaseUrl: "$url", temperature: 0}}]
tests: [{vars: {name: Ada}, assert: [{type: contains, value: Ada}]}]
END
promptfoo eval -c pf.yaml --no-cache; echo "promptfoo: $?"

cat > codex/config.toml <<END
model = "quillium-demo"
model_provider = "quillium"
[model_providers.quillium]
name = "Quillium"
base_url = "$url"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
END
codex exec --skip-git-repo-check -s read-only "How is the weather in Oslo?" < /dev/null
echo "Codex CLI: $?"

cat > opencode.json <<END
{"autoupdate": false, "provider": {"quillium": {"npm": "@ai-sdk/openai-compatible",
 "options": {"baseURL": "$url", "apiKey": "$key"},
 "models": {"quillium-demo": {"tool_call": true, "limit": {"context": 50000, "output": 32000}}}}}}
END
opencode run -m quillium/quillium-demo "List the files here" < /dev/null; echo "opencode: $?"
