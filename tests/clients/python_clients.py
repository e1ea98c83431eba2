"""Try the Python packages of docs/openai.md against a running server, by hand.

    python tests/clients/python_clients.py http://127.0.0.1:8080/openai/v1 qk_… [MODEL]

Run it in an environment of its own: `pip install openai langchain-openai langgraph litellm
llama-index-llms-openai-like instructor 'pydantic-ai-slim[openai]' openai-agents
'smolagents[openai]'`. Each row prints what works, or why it does not.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

from pydantic import BaseModel

BASE_URL, KEY, MODEL = sys.argv[1], sys.argv[2], (sys.argv[3:] or ["quillium-demo"])[0]
os.environ |= {"OPENAI_BASE_URL": BASE_URL, "OPENAI_API_BASE": BASE_URL, "OPENAI_API_KEY": KEY,
               "OPENAI_AGENTS_DISABLE_TRACING": "1"}  # fmt: skip
QUESTION = "How is the weather in Oslo?"


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


def get_weather(city: str) -> str:
    """Tell the weather of a city.

    Args:
        city: The name of the city.
    """
    return f"18 degrees in {city}"


def langchain() -> None:
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI, OpenAIEmbeddings

    llm = ChatOpenAI(model=MODEL, stream_usage=True)
    assert llm.invoke("Hello").content
    assert len(list(llm.stream("/lorem 20"))) > 5
    assert llm.bind_tools([tool(get_weather)]).invoke(QUESTION).tool_calls
    for method in ("json_schema", "function_calling"):
        person = llm.with_structured_output(Person, method=method).invoke("Ada is 36.")
        assert person.age == 36
    assert llm.with_structured_output(None, method="json_mode").invoke("As JSON: Ada")
    assert ChatOpenAI(model=MODEL, use_responses_api=True).invoke("Hello").content
    embeddings = OpenAIEmbeddings(model=MODEL, check_embedding_ctx_length=False)
    assert embeddings.embed_query("a cat")


def langgraph() -> None:
    from langchain_openai import ChatOpenAI
    from langgraph.prebuilt import create_react_agent

    agent = create_react_agent(ChatOpenAI(model=MODEL), [get_weather])
    answer = agent.invoke({"messages": [("user", QUESTION)]})["messages"][-1].content
    assert "18 degrees" in answer


def llama_index() -> None:
    from llama_index.llms.openai_like import OpenAILike

    llm = OpenAILike(model=MODEL, api_base=BASE_URL, api_key=KEY)
    assert llm.complete("Hello").text  # by /completions
    assert len(list(llm.stream_complete("/lorem 20"))) > 5
    chat = OpenAILike(model=MODEL, api_base=BASE_URL, api_key=KEY, is_chat_model=True,
                      is_function_calling_model=True)  # fmt: skip
    assert chat.complete("Hello").text


def litellm() -> None:
    import litellm as lite

    more = {"model": f"openai/{MODEL}", "api_base": BASE_URL, "api_key": KEY}
    asked = [{"role": "user", "content": "Hello"}]
    assert lite.completion(messages=asked, **more).choices[0].message.content
    assert list(lite.completion(messages=asked, stream=True, **more))
    assert lite.embedding(input=["a cat"], **more).data


def instructor() -> None:
    import instructor as package
    from openai import OpenAI

    for mode in (package.Mode.TOOLS, package.Mode.JSON_SCHEMA):
        client = package.from_openai(OpenAI(), mode=mode)
        person = client.chat.completions.create(
            model=MODEL,
            response_model=Person,
            messages=[{"role": "user", "content": "Ada is 36."}],
        )
        assert person.age == 36


def pydantic_ai() -> None:
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel

    for model in (OpenAIChatModel(MODEL), OpenAIResponsesModel(MODEL)):
        agent = Agent(model, tools=[get_weather])
        assert "18 degrees" in agent.run_sync(QUESTION).output
        typed = Agent(model, output_type=Person, tools=[get_weather])
        assert isinstance(typed.run_sync("Ada is 36.").output, Person)


def openai_agents() -> None:
    from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool
    from openai import AsyncOpenAI

    for model in (MODEL, OpenAIChatCompletionsModel(MODEL, AsyncOpenAI())):
        agent = Agent(name="a", tools=[function_tool(get_weather)], model=model)
        assert "18 degrees" in Runner.run_sync(agent, QUESTION).final_output


def smolagents() -> None:
    from smolagents import OpenAIServerModel, ToolCallingAgent, tool

    model = OpenAIServerModel(model_id=MODEL, api_base=BASE_URL, api_key=KEY)
    agent = ToolCallingAgent(tools=[tool(get_weather)], model=model, max_steps=4)
    assert agent.run(QUESTION) is not None
    assert len(agent.memory.steps) <= 4


ROWS: tuple[Callable[[], None], ...] = (
    langchain, langgraph, llama_index, litellm, instructor, pydantic_ai, openai_agents, smolagents,
)  # fmt: skip

if __name__ == "__main__":
    for row in ROWS:
        try:
            row()
        except ImportError as error:
            print(f"{row.__name__}: not tried ({error})")
        except Exception as error:
            at = traceback.extract_tb(error.__traceback__)
            line = next(
                (f.lineno for f in at if f.filename == __file__ and f.name == row.__name__), 0
            )
            print(f"{row.__name__}: line {line}: {type(error).__name__}: {str(error)[:300]}")
        else:
            print(f"{row.__name__}: works")
