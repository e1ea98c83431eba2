"""The English of `quillium-demo`: patterns and texts."""

from __future__ import annotations

import re

from assistant.demo_language import Fact, Language, rules, words

_END = r"(?=\s+(?:and|but)\s+(?:my|i|i'm|we|he|she|it|they|our|work|live|have|am|like|love)\b|[.,;!?\n]|\Z)"
_VALUE = rf"(?P<value>[^.,;!?\n]{{1,60}}?){_END}"
_NAME = r"(?P<value>[A-Z\u00c0-\u024f][\w'-]{0,40})"

_COMMON_WORDS = words(
    """a about after again also am an and any are as at be because been before between but by can
    could day days did do does each every explain for from give good has have hello help here hey
    hi how i if in into is it its just know let like list make made many may me mean month more
    most much my name need no not of on once only or other over please really said same say show
    should some something such tell than thank thanks that the their them then there these they
    thing think this those three time to today two us very want was we well were what when where
    which while who why will with word words work would write year yes you your"""
)

ENGLISH = Language(
    code="en",
    usual_words=_COMMON_WORDS,
    greeting=re.compile(
        r"^(?:hi|hello|hey|howdy|good (?:morning|afternoon|evening))\b(?!.*\b(?:in|to) \w+$)"
    ),
    first_message=re.compile(r"\bwhat (?:did i (?:say|ask|write)|was my) (?:\w+ )?first\b"),
    last_message=re.compile(
        r"\bwhat (?:did i just|was my (?:last|previous)|did i (?:say|ask) (?:last|before|just))\b"
    ),
    recap=re.compile(
        r"\b(?:summari[sz]e|sum up|recap)\b(?: (?:this|our|the|what)\b.*)?$"
        r"|\b(?:summary|recap) of (?:this|our|the) (?:chat|conversation|discussion)\b"
        r"|\bwhat (?:did|have) (?:i|we) (?:say|said|talk|talked|discuss|discussed|ask|asked)\b"
    ),
    known=re.compile(
        r"\bwhat (?:do|did) you (?:know|remember|learn) about me\b|\bwhat (?:have i|did i) (?:told"
        r"|tell) you\b"
    ),
    capital=re.compile(r"\bcapitals?\b"),
    question=re.compile(
        r"\?|^(?:and |so |but )?(?:what|who|whose|which|where|when|why|how|is|are|do|does|did|can"
        r"|could|will|would)\b|^(?:please )?(?:tell me|explain|describe|write|give|show|make|create|list"
        r"|find|translate)\b"
    ),
    mine=r"my",
    unknown_fact=re.compile(
        r"\b(?:what|who|which|where|when|how)(?:'s| is| are|s| was)? my (?P<topic>[\w' -]{1,40})"
    ),
    asked=(
        (re.compile(r"\bwho am i\b|\bwhat am i called\b|\bmy name\b"), "name"),
        (re.compile(r"\bwhere (?:do|am) i (?:live|living|from|come from)\b"), "home"),
        (re.compile(r"\bhow old am i\b|\bmy age\b"), "age"),
        (re.compile(r"\bwhat do i do\b|\bwhat is my (?:job|profession)\b"), "job"),
        (re.compile(r"\bwhat do i (?:like|love)\b"), "liking"),
    ),
    facts=(
        Fact(re.compile(rf"\b[Mm]y name(?: is|'s) {_NAME}"), "your name is {value}", "name"),
        Fact(
            re.compile(rf"\b(?:[Cc]all me|I am called|I'm called) {_NAME}"),
            "your name is {value}",
            "name",
        ),
        Fact(
            re.compile(rf"\bI(?: am|'m) {_NAME}(?=[.,!]|\s+and\b|\Z)"),
            "your name is {value}",
            "name",
        ),
        Fact(
            re.compile(rf"\bI (?:live|am living) in {_VALUE}", re.I), "you live in {value}", "home"
        ),
        Fact(
            re.compile(rf"\bI(?: am|'m| come) from {_VALUE}", re.I), "you are from {value}", "home"
        ),
        Fact(
            re.compile(r"\bI(?: am|'m) (?P<value>\d{1,3})(?: years? old)?\b(?! ?[\w%])", re.I),
            "you are {value} years old",
            "age",
        ),
        Fact(re.compile(rf"\bwork as {_VALUE}", re.I), "you work as {value}", "job"),
        Fact(
            re.compile(
                rf"\bI (?:like|love|enjoy) (?P<value>(?!your|how|this|that|it\b)[^.,;!?\n]{{1,60}}?){_END}",
                re.I,
            ),
            "you like {value}",
            "liking",
        ),
        Fact(
            re.compile(rf"\bI have an? (?P<topic>[\w -]{{1,30}}?) (?:called|named) {_VALUE}", re.I),
            "your {topic} is called {value}",
        ),
        Fact(
            re.compile(
                rf"\bmy (?P<topic>[\w' -]{{1,40}}?) (?P<verb>(?:is|are)(?: called| named)?) {_VALUE}",
                re.I,
            ),
            "your {topic} {verb} {value}",
        ),
    ),
    phrases={
        "address": ", {name}",
        "listening": "I am listening.",
        "hello": "Hello{name}! I am the built-in demo assistant. What would you like to talk about?",
        "hello_again": "Hello{name}! Good to hear from you again. What would you like to talk about?",
        "met": "Nice to meet you, {name}! I will remember your name.",
        "noted": "Noted: {facts}. Ask me about it whenever you like.",
        "and": " and ",
        "recalled": "You told me: {fact}.",
        "all_facts": "You told me:\n\n{facts}",
        "no_facts": "Nothing yet. Tell me, for example: “My dog is called Rex.”",
        "not_told": "You haven't told me yet. Say “my {topic} is …” and I will remember it.",
        "not_told_this": "You haven't told me yet. Tell me and I will remember it.",
        "file_pixels": "You sent `{name}`: an image ({kind}, {size}) of {width} × {height} pixels.",
        "file_image": "You sent `{name}`: an image ({kind}, {size}).",
        "file_text": "You sent `{name}`: a text ({size}) that begins “{quote}”",
        "file_pdf": "You sent `{name}`: a PDF file ({size}) that begins “{quote}”",
        "file_other": "You sent `{name}`: a file of {size} ({kind}), which I can't read.",
        "nothing_yet": "Nothing yet: this is your first message in this conversation.",
        "first_was": "Your first message was: “{quote}”",
        "last_was": "Just before, you said: “{quote}”",
        "said_all": "You said:\n\n{list}",
        "said_last": "The last 10 of your {count} messages:\n\n{list}",
        "asked": "You asked: “{quote}”",
        "said": "You said: “{quote}”",
        "shared": "That goes with what you said about {topic}: “{quote}”",
        "modest": "I am only a demo made of rules, so I don't know that. Ask me for a haiku, the"
        " capital of a country, 12 % of 250, a table, a plan, or code in Python, and see `/help`.",
        "more": "Tell me more.",
        "more_about": "Tell me more about {topic}.",
        "capital": "The capital of {country} is **{capital}**.",
        "which_country": "The capital of which country? I know those of {count} countries.",
        "unknown_country": "I know the capitals of {count} countries, but I don't recognise this one.",
        "country": "country",
        "capital_word": "capital",
        "code": "Here is {task} in {language}:",
        "codes": "Here is {task} in five languages:",
        "no_code": "I only know a few examples by heart: {tasks}. Here is one of them in {language}.",
        "translation": "“{word}” is **{translation}** in {language}.",
        "hello_world": "“Hello, world”",
        "fibonacci": "the Fibonacci sequence",
        "fizzbuzz": "FizzBuzz",
        "reverse": "a function that reverses a text",
        "factorial": "the factorial",
        "prime": "a test for prime numbers",
        "sort": "a sorting function",
        "zero": "Nothing can be divided by zero.",
    },
    rules=rules(
        (
            r"\bhow are you\b|\bhow's it going\b|\bhow do you do\b",
            "I am well, thank you: no network, no worries. And you?",
        ),
        (
            r"\b(?:are you|is this) (?:chat ?gpt|gpt|claude|gemini|openai|a (?:real|large)|an? (?:ai|llm)"
            r"|human|real)\b|\bwhich (?:ai |language )?model\b|\bwhat model\b",
            "I am `quillium-demo`: a few hundred lines of rules, no language model and no human. That is"
            " why I answer at once, offline, and always the same way. Quillium works with real models"
            " too: choose one in the menu of this chat once a server is connected.",
        ),
        (
            r"\bwho (?:are|made|built|created) you\b|\bwhat are you\b|\bwhat's your name\b|\byour name\b"
            r"|\bintroduce yourself\b",
            "I am `quillium-demo`, the demo assistant that is built into Quillium. I am made of rules,"
            " not of a language model, so that everything here can be tried without a network. I"
            " remember what you tell me in this conversation; `/help` lists my commands.",
        ),
        (
            r"\bwhat can (?:you|i) (?:do|ask)\b|\bhow can you help\b|\bhelp me\b|\byour (?:skills"
            r"|abilities)\b",
            "I am a demo, but I can do more than nod:\n\n"
            "- **remember** what you tell me: “My dog is called Rex”, and later “What is my dog called?”\n"
            "- **calculate**: “12 % of 250”\n"
            "- **know** capitals: “What is the capital of Japan?”\n"
            "- **explain** recursion, why the sky is blue, or what a WebSocket is\n"
            "- **write** a haiku, a plan, a table, an e-mail, or code in six languages\n"
            "- **speak** English, German, French, Spanish and Chinese\n\n"
            "`/help` lists commands that show what the page can display.",
        ),
        (
            r"\bwhat is quillium\b|\babout quillium\b|\bexplain quillium\b",
            "Quillium is a chat with AI models on your own server: one process and one SQLite file."
            " It has a REST API, a WebSocket, this page, and an OpenAI-compatible API. It connects to"
            " Ollama, LM Studio and any OpenAI-compatible server; without one, I answer.",
        ),
        (
            r"\b(?:where|how)\b.*\bmy data\b|\b(?:is|are) (?:this|it|my data|my messages) (?:safe|private"
            r"|secure|stored)\b|\bprivacy\b",
            "Your messages are stored in one SQLite file on the machine that runs Quillium. I send"
            " nothing anywhere. If an administrator connects another model, messages to that model go to"
            " its server.",
        ),
        (
            r"\b(?:connect|use|add|install)\b.*\b(?:models?|ollama|llm|lm studio|gpt)\b",
            "1. Start [Ollama](https://ollama.com) or LM Studio on this machine; Quillium finds it.\n"
            "2. Or add any OpenAI-compatible server in the settings, under *Providers*.\n"
            "3. Then choose the model in the menu of a chat.",
        ),
        (
            r"\bhaiku\b.*\b(?:sea|ocean|beach|wave|water)",
            "Waves write on the sand,\nthe tide reads each line, and then\nasks for one more page.",
        ),
        (
            r"\bhaiku\b.*\b(?:cod|program|comput|software|bug)",
            "One missing bracket –\nall night the cursor blinking,\nat dawn it compiles.",
        ),
        (
            r"\bhaiku\b.*\b(?:winter|snow)",
            "Snow on the letters,\nthe postman's footprints the one\nline written today.",
        ),
        (
            r"\b(?:haiku|poem|verse)\b",
            "A feather, some ink –\nthe page is still white, and yet\nthe first word is near.",
        ),
        (
            r"\bjoke\b|\bsomething funny\b|\bmake me laugh\b",
            "A SQL query walks into a bar, goes up to two tables and asks: “May I join you?”",
        ),
        (
            r"\brecursion\b|\brecursive\b",
            "**Recursion** is when a function solves a problem by calling itself on a smaller one, until"
            " the problem is so small that the answer is obvious.\n\n"
            "```python\ndef factorial(n: int) -> int:\n    if n <= 1:  # the base case: stop here\n"
            "        return 1\n    return n * factorial(n - 1)  # a smaller problem\n```\n\n"
            "`factorial(4)` is 4 · `factorial(3)`, that is 4 · 3 · 2 · 1 = 24. Without a base case it"
            " would never end. To understand recursion better, ask me again.",
        ),
        (
            r"\bsky\b.*\bblue\b|\bblue\b.*\bsky\b",
            "Sunlight contains all colours. The molecules of the air scatter **short wavelengths** (blue)"
            " far more than long ones (red): the strength grows with $1/\\lambda^4$. So blue light reaches"
            " your eye from every direction. In the evening the light travels further through the air, the"
            " blue is lost on the way, and the sun looks red.",
        ),
        (
            r"\bphotosynthesis\b",
            "In **photosynthesis**, plants turn light, water and carbon dioxide into sugar and oxygen:\n\n"
            "$$6\\,CO_2 + 6\\,H_2O \\rightarrow C_6H_{12}O_6 + 6\\,O_2$$\n\n"
            "The light is caught by chlorophyll, which looks green because it leaves green light unused.",
        ),
        (
            r"\bweb ?sockets?\b",
            "A **WebSocket** is one connection that stays open, on which server and browser can both send"
            " at any time. With plain HTTP the browser has to ask first. This chat uses one: every word"
            " of this reply arrived over it.",
        ),
        (
            r"\b(?:an?|rest|the) api\b",
            "An **API** is an agreement by which programs talk to each other: which requests exist, what"
            " they need, and what comes back. A REST API uses HTTP for that: `GET` reads, `POST` creates,"
            " `DELETE` removes. Quillium's own API can be tried at `/docs`.",
        ),
        (
            r"\b(?:language models?|llms?|artificial intelligence|machine learning|neural)\b|\bai\b",
            "A **language model** is a large network of numbers that has learned from a lot of text which"
            " word is likely to come next. From that single skill come answers, summaries and code – and"
            " mistakes that sound convincing. I am none: I am made of rules.",
        ),
        (
            r"\bmeaning of life\b|\b(?:sense|point) of life\b",
            "42, as is well known. I am only a demo; you will have to find the question yourself.",
        ),
        (
            r"\b(?:what|which) (?:time|day|date|year)\b|\btoday's date\b|\bweather\b|\bnews\b",
            "I don't know: I have no clock, no network and no window. That is why I say the same thing"
            " every time, which is what a demo and a test need.",
        ),
        (
            r"\btable\b.*\b(?:languages?|python|javascript|rust)\b|\bcompare\b.*\b(?:python|javascript"
            r"|rust|languages?)\b",
            "| language | typing | known for |\n|---|---|---|\n| Python | dynamic | data, scripts, teaching |\n"
            "| JavaScript | dynamic | every web page |\n| TypeScript | static, optional | large front ends |\n"
            "| Go | static | servers, tools |\n| Rust | static | speed without a garbage collector |",
        ),
        (
            r"\btable\b(?!\s+(?:tennis|lamp))|\bplanets?\b",
            "| planet | diameter (km) | moons | year |\n|:---|---:|---:|---:|\n"
            "| Mercury | 4,879 | 0 | 88 days |\n| Venus | 12,104 | 0 | 225 days |\n"
            "| Earth | 12,756 | 1 | 365 days |\n| Mars | 6,792 | 2 | 687 days |\n"
            "| Jupiter | 142,984 | over 90 | 12 years |\n| Saturn | 120,536 | over 140 | 29 years |\n"
            "| Uranus | 51,118 | 28 | 84 years |\n| Neptune | 49,528 | 16 | 165 years |",
        ),
        (
            r"\b(?:plan|itinerary|organi[sz]e)\b.*\b(?:trip|weekend|holiday|vacation|travel|visit|tour"
            r"|city)\b|\b(?:weekend|trip|holiday|vacation|itinerary)\b.*\bplan\b|\bitinerary\b",
            "### Day 1: arrive\n\n- [ ] Leave the luggage at the hotel, and walk around the block\n"
            "- [ ] Lunch where the menu is short\n- [ ] The old town on foot, without a map\n"
            "- [ ] A viewpoint at sunset\n\n### Day 2: see\n\n- [ ] One museum, early, before the queue\n"
            "- [ ] The market, and a picnic in a park\n- [ ] A boat, a tram or a cable car\n"
            "- [ ] Dinner: reserve a table\n\n### Day 3: leave\n\n- [ ] A long breakfast\n"
            "- [ ] One thing that you skipped\n\n> Leave every second slot free. It fills itself.",
        ),
        (
            r"\bplan\b|\bschedule\b|\broadmap\b|\bto-?do list\b|\bcheck ?list\b|\bprepare\b",
            "Here is a plan for four weeks:\n\n1. **Week 1 – aim.** Write down in one sentence what will be"
            " different at the end.\n   - [ ] Find an example that is good\n   - [ ] Set aside half an hour"
            " a day\n2. **Week 2 – basics.** Do the smallest version that works.\n   - [ ] Finish it, even"
            " if it is ugly\n3. **Week 3 – practice.** Do it again, harder.\n   - [ ] Ask somebody for an"
            " honest opinion\n4. **Week 4 – show.** Present it to somebody.\n   - [ ] Note what to do"
            " differently next time",
        ),
        (
            r"\b(?:e-?mail|letter)\b",
            "> **Subject:** A day off on Friday\n>\n> Dear Ms Miller,\n>\n> I would like to take next"
            " Friday off. My tasks for the week will be done by Thursday, and Sam has agreed to cover for"
            " me.\n>\n> Is that all right with you?\n>\n> Kind regards\n\nChange the names, and it is"
            " ready to send.",
        ),
        (
            r"\brecipe\b|\bcook\b|\bdinner\b",
            "**Spaghetti aglio e olio**, for two, in 15 minutes:\n\n1. Boil 200 g of spaghetti in salted"
            " water.\n2. Slice 3 cloves of garlic, and warm them slowly in 4 tablespoons of olive oil with"
            " some chilli.\n3. Add the pasta and a ladle of its water, and toss.\n4. Parsley on top.",
        ),
        (r"\b(?:thanks|thank you|thx|cheers|great|perfect|awesome)\b", "You are welcome{name}."),
        (r"\b(?:bye|goodbye|see you|good night|farewell)\b", "Goodbye{name}! I will be here."),
    ),
    code_words=re.compile(
        r"\b(?:code|function|program|script|snippet|algorithm|implement|write|show|example)\b"
    ),
)
