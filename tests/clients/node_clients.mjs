// Try the JavaScript packages of docs/openai.md against a running server, by hand:
//
//   npm i openai ai @ai-sdk/openai @ai-sdk/openai-compatible zod
//   node node_clients.mjs http://127.0.0.1:8080/openai/v1 qk_… [MODEL]
import assert from "node:assert";

const [baseURL, apiKey, model = "quillium-demo"] = process.argv.slice(2);
const question = "How is the weather in Oslo?";

async function openaiForNode() {
  const { default: OpenAI } = await import("openai");
  const { zodResponseFormat } = await import("openai/helpers/zod");
  const { z } = await import("zod");
  const client = new OpenAI({ baseURL, apiKey });
  const Person = z.object({ name: z.string(), age: z.number() });
  assert((await client.models.retrieve(model)).id === model);
  const parsed = await client.chat.completions.parse({
    model,
    messages: [{ role: "user", content: "Ada is 36." }],
    response_format: zodResponseFormat(Person, "person"),
  });
  assert.equal(parsed.choices[0].message.parsed.age, 36);
  const runner = client.chat.completions.runTools({
    model,
    messages: [{ role: "user", content: question }],
    tools: [{
      type: "function",
      function: {
        name: "get_weather",
        description: "Tell the weather of a city",
        parse: JSON.parse,
        function: ({ city }) => `18 degrees in ${city}`,
        parameters: { type: "object", properties: { city: { type: "string" } } },
      },
    }],
  });
  assert.match(await runner.finalContent(), /18 degrees in Oslo/);
  let text = "";
  for await (const event of await client.responses.create({ model, input: "Hello", stream: true })) {
    if (event.type === "response.output_text.delta") text += event.delta;
  }
  assert(text);
  assert((await client.embeddings.create({ model, input: "a cat" })).data[0].embedding.length === 384);
  await assert.rejects(client.models.retrieve("none"), { status: 404 });
}

async function aiSdk(name, provider) {
  const { generateText, streamText, generateObject, embed, tool, stepCountIs } = await import("ai");
  const { z } = await import("zod");
  const chosen = provider(model);
  assert((await generateText({ model: chosen, prompt: "Hello" })).text);
  const tools = {
    get_weather: tool({
      description: "Tell the weather of a city",
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => `18 degrees in ${city}`,
    }),
  };
  const used = await generateText({ model: chosen, prompt: question, tools, stopWhen: stepCountIs(4) });
  assert.match(used.text, /18 degrees in Oslo/);
  let streamed = "";
  for await (const piece of streamText({ model: chosen, prompt: "/lorem 20" }).textStream) streamed += piece;
  assert.equal(streamed.split(/\s+/).length, 20);
  const schema = z.object({ name: z.string(), age: z.number() });
  const made = await generateObject({ model: chosen, schema, prompt: "Ada is 36." });
  assert.equal(made.object.age, 36);
}

const { createOpenAI } = await import("@ai-sdk/openai");
const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
const openai = createOpenAI({ baseURL, apiKey });
const compatible = createOpenAICompatible({
  name: "quillium", baseURL, apiKey, supportsStructuredOutputs: true,
});
const rows = {
  "openai for Node": openaiForNode,
  "AI SDK, responses": () => aiSdk("responses", (id) => openai(id)),
  "AI SDK, chat": () => aiSdk("chat", (id) => openai.chat(id)),
  "AI SDK, compatible": () => aiSdk("compatible", (id) => compatible(id)),
};
for (const [name, row] of Object.entries(rows)) {
  try {
    await row();
    console.log(`${name}: works`);
  } catch (error) {
    console.log(`${name}: ${error.stack?.split("\n").slice(0, 4).join(" | ")}`);
  }
}
