"""The Spanish of `quillium-demo`: patterns and texts."""

from __future__ import annotations

import re

from assistant.demo_language import Fact, Language, rules, words

_END = r"(?=\s+(?:y|pero)\s+(?:mi|mis|yo|me|vivo|tengo|soy|trabajo|él|ella)\b|[.,;!?\n]|\Z)"
_VALUE = rf"(?P<value>[^.,;!?\n]{{1,60}}?){_END}"
_NAME = r"(?P<value>[A-Z\u00c0-\u024f][\w'-]{0,40})"

_COMMON_WORDS = words(
    """a adiós al algo alguien antes aquí así ayuda ayúdame buenas bueno buenos cada como con cosa cuál
    cuáles cuándo cuánto cuántos cuéntame cómo da dame de del dime donde dos dónde e el ella ellos en
    entre era eres es esa ese eso esta estas este esto está están explica explícame fue gracias ha haz
    hace hacer hasta hay hola la las le les lo los me mi mis muchas mucho muestra muy más nada ni no nos
    nuestro o otra otro para pero por porque puede puedes pues que quien quiero quién qué sabes se ser si
    sin sobre solo son soy su sus sí también te tengo ti tiene tienes todo todos tu tus tú un una uno
    usted vivo y ya yo él escribe escríbeme"""
)

SPANISH = Language(
    code="es",
    usual_words=_COMMON_WORDS,
    likely=frozenset("¿¡ñ"),
    has_decimal_comma=True,
    greeting=re.compile(r"^¡?\s?(?:hola|buenas|buenos días|buenas (?:tardes|noches)|qué tal)\b"),
    first_message=re.compile(
        r"\bmi primer mensaje\b|\bmi primera (?:pregunta|frase)\b"
        r"|\bqué (?:dije|he dicho|pregunté|escribí) (?:primero|al principio)\b"
    ),
    last_message=re.compile(
        r"\bmi último mensaje\b|\bmi última (?:pregunta|frase)\b"
        r"|\bqué (?:acabo de (?:decir|preguntar)|dije (?:antes|ahora mismo))\b"
    ),
    recap=re.compile(
        r"\bresum(?:e|ir|en|eme)\b(?:.*\b(?:conversación|charla|todo|esto|hablado)\b|[ .!?]*$)"
        r"|\bqué (?:he dicho|hemos (?:dicho|hablado)|dije)\b"
    ),
    known=re.compile(r"\bqué sabes (?:de|sobre) mí?\b|\bqué te he (?:dicho|contado)\b"),
    capital=re.compile(r"\bcapital(?:es)?\b"),
    question=re.compile(
        r"\?|¿|^(?:y |pero )?(?:qué|quién|quiénes|cuál|cuáles|dónde|cuándo|por qué|cómo|cuánto|cuánta|cuántos"
        r"|eres|puedes|sabes|es verdad)\b|^(?:dime|cuéntame|háblame|explica|escrib|dame|muestra|muéstra|haz|traduce)"
    ),
    mine=r"mis?",
    unknown_fact=re.compile(
        r"\b(?:cuál|cuáles|quién|qué|dónde|cómo) (?:es|son|está|están|se llama|se llaman) mis?"
        r" (?P<topic>[\w' -]{1,40})"
    ),
    asked=(
        (re.compile(r"\bcómo me llamo\b|\bquién soy\b|\bmi nombre\b"), "name"),
        (re.compile(r"\bd(?:e d)?ónde (?:vivo|soy)\b"), "home"),
        (re.compile(r"\bcuántos años tengo\b|\bqué edad tengo\b|\bmi edad\b"), "age"),
        (
            re.compile(
                r"\bde qué trabajo\b|\ben qué trabajo\b|\bcuál es mi (?:trabajo|profesión)\b"
            ),
            "job",
        ),
        (re.compile(r"\bqué me gusta\b"), "liking"),
    ),
    facts=(
        Fact(re.compile(rf"\b[Mm]e llamo {_NAME}"), "te llamas {value}", "name"),
        Fact(re.compile(rf"\b[Mm]i nombre es {_NAME}"), "te llamas {value}", "name"),
        Fact(re.compile(rf"\b[Ss]oy {_NAME}(?=[.,!]|\s+y\b|\Z)"), "te llamas {value}", "name"),
        Fact(re.compile(rf"\bvivo en {_VALUE}", re.I), "vives en {value}", "home"),
        Fact(re.compile(rf"\bsoy de {_VALUE}", re.I), "eres de {value}", "home"),
        Fact(re.compile(r"\btengo (?P<value>\d{1,3}) años\b", re.I), "tienes {value} años", "age"),
        Fact(re.compile(rf"\btrabajo (?:como|de) {_VALUE}", re.I), "trabajas de {value}", "job"),
        Fact(
            re.compile(rf"\bme (?P<verb>gustan?|encantan?) {_VALUE}", re.I),
            "te {verb} {value}",
            "liking",
        ),
        Fact(
            re.compile(rf"\btengo una? (?P<topic>[\w-]{{1,30}}) que se llama {_VALUE}", re.I),
            "tu {topic} se llama {value}",
        ),
        Fact(
            re.compile(
                rf"\bmi(?P<ending>s?) (?P<topic>[\w -]{{1,40}}?) (?P<verb>se llaman?|es|son) {_VALUE}",
                re.I,
            ),
            "tu{ending} {topic} {verb} {value}",
        ),
    ),
    phrases={
        "address": ", {name}",
        "listening": "Te escucho.",
        "hello": "¡Hola{name}! Soy el asistente de demostración integrado. ¿De qué quieres hablar?",
        "hello_again": "¡Hola{name}! Me alegra leerte de nuevo. ¿De qué quieres hablar?",
        "met": "¡Encantado, {name}! Recordaré tu nombre.",
        "noted": "Anotado: {facts}. Pregúntame cuando quieras.",
        "and": " y ",
        "recalled": "Me dijiste: {fact}.",
        "all_facts": "Me dijiste:\n\n{facts}",
        "no_facts": "Todavía nada. Dime, por ejemplo: «Mi perro se llama Rex».",
        "not_told": "Todavía no me lo has dicho. Dímelo y lo recordaré.",
        "not_told_this": "Todavía no me lo has dicho. Dímelo y lo recordaré.",
        "file_pixels": "Has enviado `{name}`: una imagen ({kind}, {size}) de {width} × {height} píxeles.",
        "file_image": "Has enviado `{name}`: una imagen ({kind}, {size}).",
        "file_text": "Has enviado `{name}`: un texto ({size}) que empieza así: «{quote}»",
        "file_pdf": "Has enviado `{name}`: un archivo PDF ({size}) que empieza así: «{quote}»",
        "file_other": "Has enviado `{name}`: un archivo de {size} ({kind}) que no puedo leer.",
        "nothing_yet": "Todavía nada: este es tu primer mensaje en esta conversación.",
        "first_was": "Tu primer mensaje fue: «{quote}»",
        "last_was": "Justo antes dijiste: «{quote}»",
        "said_all": "Dijiste:\n\n{list}",
        "said_last": "Los últimos 10 de tus {count} mensajes:\n\n{list}",
        "asked": "Preguntaste: «{quote}»",
        "said": "Dijiste: «{quote}»",
        "shared": "Eso va con lo que dijiste sobre {topic}: «{quote}»",
        "modest": "Solo soy una demostración hecha de reglas y no lo sé. Pídeme un haiku, la capital de un"
        " país, el 12 % de 250, una tabla, un plan o código en Python; `/help` muestra más.",
        "more": "Cuéntame más.",
        "more_about": "Cuéntame más sobre {topic}.",
        "capital": "La capital es **{capital}** ({country}).",
        "which_country": "¿La capital de qué país? Conozco las de {count} países.",
        "unknown_country": "Conozco las capitales de {count} países, pero no reconozco este.",
        "country": "país",
        "capital_word": "capital",
        "code": "Aquí está {task} en {language}:",
        "codes": "Aquí está {task} en cinco lenguajes:",
        "no_code": "Solo sé unos pocos ejemplos de memoria: {tasks}. Aquí va uno en {language}.",
        "translation": "«{word}» en {language} es **{translation}**.",
        "hello_world": "«Hola, mundo»",
        "fibonacci": "la sucesión de Fibonacci",
        "fizzbuzz": "FizzBuzz",
        "reverse": "una función que invierte un texto",
        "factorial": "el factorial",
        "prime": "una prueba de números primos",
        "sort": "una función para ordenar",
        "zero": "No se puede dividir entre cero.",
    },
    rules=rules(
        (
            r"\bcómo (?:estás|está|te va|andas)\b|\bqué tal\b",
            "Bien, gracias: sin red y sin preocupaciones. ¿Y tú?",
        ),
        (
            r"\b(?:eres|es esto) (?:chat ?gpt|gpt|claude|gemini|una? (?:ia|persona|robot|modelo|humano)|humano|real|de verdad)\b"
            r"|\bqué modelo\b",
            "Soy `quillium-demo`: unos cientos de líneas de reglas, ni un modelo de lenguaje ni una persona. Por"
            " eso respondo al momento, sin red y siempre igual. Quillium también trabaja con modelos de verdad:"
            " elige uno en el menú de este chat cuando haya un servidor conectado.",
        ),
        (
            r"\bquién eres\b|\bqué eres\b|\bcómo te llamas\b|\btu nombre\b|\bquién te (?:hizo|creó)\b|\bpreséntate\b",
            "Soy `quillium-demo`, el asistente de demostración integrado en Quillium. Estoy hecho de reglas y no"
            " de un modelo de lenguaje, para que todo se pueda probar sin red. Recuerdo lo que me cuentas en"
            " esta conversación; `/help` muestra mis comandos.",
        ),
        (
            r"\bqué (?:puedes|sabes) hacer\b|\bqué (?:te )?puedo (?:preguntar|pedir)|\bayuda\b|\bayúdame\b|\ben qué puedes ayudar",
            "Soy una demostración, pero sé hacer algo más que asentir:\n\n"
            "- **recordar** lo que me cuentas: «Mi perro se llama Rex», y luego «¿Cómo se llama mi perro?»\n"
            "- **calcular**: «12 % de 250»\n- **saber** capitales: «¿Cuál es la capital de Japón?»\n"
            "- **explicar** la recursión, por qué el cielo es azul o qué es un WebSocket\n"
            "- **escribir** un haiku, un plan, una tabla, un correo, o código en seis lenguajes\n"
            "- **hablar** español, inglés, alemán, francés y chino\n\n"
            "`/help` da comandos que muestran lo que la página puede presentar.",
        ),
        (
            r"\bqué es quillium\b|\bexplica\w*\b.*\bquillium\b",
            "Quillium es un chat con modelos de IA en tu propio servidor: un proceso y un archivo SQLite. Tiene una"
            " API REST, un WebSocket, esta página y una API compatible con OpenAI. Se conecta con Ollama, LM Studio"
            " y cualquier servidor compatible; si no hay ninguno, respondo yo.",
        ),
        (
            r"\bmis datos\b|\bprivacidad\b|\bmis mensajes\b.*\bguard",
            "Tus mensajes se guardan en un archivo SQLite, en la máquina en la que corre Quillium. No envío nada a"
            " ninguna parte. Si un administrador conecta otro modelo, los mensajes para ese modelo van a su"
            " servidor.",
        ),
        (
            r"\b(?:conect\w*|usar|uso|instal\w*|añad\w*)\b.*\b(?:modelos?|ollama|lm studio)\b",
            "1. Inicia [Ollama](https://ollama.com) o LM Studio en esta máquina; Quillium lo encuentra.\n"
            "2. O añade un servidor compatible con OpenAI en los ajustes, en *Proveedores*.\n"
            "3. Después elige el modelo en el menú de un chat.",
        ),
        (
            r"\bhaiku\b.*\b(?:mar|océano|playa|ola|agua)",
            "La ola que escribe,\nla arena que la guarda,\nel mar que la lee.",
        ),
        (
            r"\bhaiku\b.*\b(?:código|program|ordenador|software|computad)",
            "Falta una llave.\nLa noche y el cursor juntos;\nal alba, compila.",
        ),
        (
            r"\b(?:haiku|poema|poesía|verso)\b",
            "Pluma con tinta:\nla página está en blanco\ny llega una voz.",
        ),
        (
            r"\bchiste\b|\bhazme reír\b|\balgo gracioso\b",
            "Una consulta SQL entra en un bar, se acerca a dos tablas y pregunta: «¿Puedo hacer un JOIN?»",
        ),
        (
            r"\brecursi(?:ón|vidad|va|vo)\b",
            "La **recursión** es cuando una función resuelve un problema llamándose a sí misma con uno más pequeño,"
            " hasta que la respuesta es evidente.\n\n"
            "```python\ndef factorial(n: int) -> int:\n    if n <= 1:  # el caso base: aquí se para\n"
            "        return 1\n    return n * factorial(n - 1)  # un problema más pequeño\n```\n\n"
            "`factorial(4)` es 4 · `factorial(3)`, o sea 4 · 3 · 2 · 1 = 24. Sin caso base no acabaría nunca. Para"
            " entender mejor la recursión, pregúntame otra vez.",
        ),
        (
            r"\bcielo\b.*\bazul\b|\bazul\b.*\bcielo\b",
            "La luz del sol contiene todos los colores. Las moléculas del aire dispersan las **longitudes de onda"
            " cortas** (azul) mucho más que las largas (rojo): la intensidad crece con $1/\\lambda^4$. Por eso la"
            " luz azul llega de todas partes. Al atardecer atraviesa más aire, el azul se pierde por el camino y el"
            " sol se ve rojo.",
        ),
        (
            r"\bfotosíntesis\b",
            "En la **fotosíntesis**, las plantas convierten luz, agua y dióxido de carbono en azúcar y oxígeno:\n\n"
            "$$6\\,CO_2 + 6\\,H_2O \\rightarrow C_6H_{12}O_6 + 6\\,O_2$$\n\nLa luz la capta la clorofila, que es verde"
            " porque deja sin usar la luz verde.",
        ),
        (
            r"\bweb ?sockets?\b",
            "Un **WebSocket** es una conexión que permanece abierta y por la que servidor y navegador pueden enviar"
            " en cualquier momento. Con HTTP a secas, el navegador tiene que preguntar antes. Este chat usa uno:"
            " cada palabra de esta respuesta llegó por él.",
        ),
        (
            r"\bapi\b",
            "Una **API** es un acuerdo por el que los programas hablan entre sí: qué peticiones existen, qué"
            " necesitan y qué devuelven. Una API REST usa HTTP: `GET` lee, `POST` crea, `DELETE` borra. La de"
            " Quillium se puede probar en `/docs`.",
        ),
        (
            r"\bmodelos? de lenguaje\b|\binteligencia artificial\b|\bia\b|\bllms?\b",
            "Un **modelo de lenguaje** es una gran red de números que ha aprendido, de mucho texto, qué palabra"
            " viene probablemente después. De esa única habilidad salen respuestas, resúmenes y código, y también"
            " errores convincentes. Yo no lo soy: estoy hecho de reglas.",
        ),
        (
            r"\bsentido de la vida\b",
            "42, como se sabe. Solo soy una demostración; la pregunta tendrás que encontrarla tú.",
        ),
        (
            r"\bqué hora\b|\bqué (?:día|fecha|año)\b|\bqué tiempo\b|\bnoticias\b|\bclima\b",
            "No lo sé: no tengo reloj, ni red, ni ventana. Por eso digo siempre lo mismo, que es lo que necesita una"
            " demostración.",
        ),
        (
            r"\btabla\b.*\b(?:lenguajes?|python|javascript|rust)\b|\bcompara\w*\b.*\b(?:python|javascript|rust|lenguajes)\b",
            "| lenguaje | tipos | conocido por |\n|---|---|---|\n| Python | dinámicos | datos, scripts, enseñanza |\n"
            "| JavaScript | dinámicos | todas las páginas web |\n| TypeScript | estáticos, opcionales | interfaces grandes |\n"
            "| Go | estáticos | servidores, herramientas |\n| Rust | estáticos | velocidad sin recolector de basura |",
        ),
        (
            r"\btabla\b|\bplanetas?\b",
            "| planeta | diámetro (km) | lunas | año |\n|:---|---:|---:|---:|\n"
            "| Mercurio | 4.879 | 0 | 88 días |\n| Venus | 12.104 | 0 | 225 días |\n"
            "| Tierra | 12.756 | 1 | 365 días |\n| Marte | 6.792 | 2 | 687 días |\n"
            "| Júpiter | 142.984 | más de 90 | 12 años |\n| Saturno | 120.536 | más de 140 | 29 años |\n"
            "| Urano | 51.118 | 28 | 84 años |\n| Neptuno | 49.528 | 16 | 165 años |",
        ),
        (
            r"\b(?:plan\w*|organiza\w*|prepara\w*|itinerario)\b.*\b(?:viaje|fin de semana|vacaciones|visita|excursión|escapada)\b"
            r"|\bitinerario\b",
            "### Día 1: llegar\n\n- [ ] Dejar el equipaje y dar una vuelta a la manzana\n"
            "- [ ] Comer donde la carta sea corta\n- [ ] El casco antiguo a pie, sin mapa\n"
            "- [ ] Un mirador al atardecer\n\n### Día 2: ver\n\n- [ ] Un museo, temprano, antes de la cola\n"
            "- [ ] El mercado y un pícnic en el parque\n- [ ] Un barco, un tranvía o un teleférico\n"
            "- [ ] La cena: reservar mesa\n\n### Día 3: volver\n\n- [ ] Un desayuno largo\n"
            "- [ ] Algo que dejaste pendiente\n\n> Deja libre una hora de cada dos. Se llena sola.",
        ),
        (
            r"\bplan(?:es|ifica\w*)?\b|\blista de tareas\b|\bcalendario\b",
            "Aquí va un plan de cuatro semanas:\n\n1. **Semana 1: la meta.** Escribe en una frase qué será distinto al"
            " final.\n   - [ ] Buscar un buen ejemplo\n   - [ ] Reservar media hora al día\n"
            "2. **Semana 2: lo básico.** Haz la versión más pequeña que funcione.\n   - [ ] Terminarla, aunque sea fea\n"
            "3. **Semana 3: la práctica.** Hazlo otra vez, más difícil.\n   - [ ] Pedir una opinión sincera\n"
            "4. **Semana 4: mostrar.** Preséntalo a alguien.\n   - [ ] Anotar qué harás distinto la próxima vez",
        ),
        (
            r"\bcorreo\b|\be-?mail\b|\bcarta\b",
            "> **Asunto:** Un día libre el viernes\n>\n> Estimada señora Molina:\n>\n> Me gustaría tomarme libre el"
            " próximo viernes. Mis tareas de la semana estarán listas el jueves, y Sam me sustituirá.\n>\n"
            "> ¿Le parece bien?\n>\n> Un saludo\n\nCambia los nombres y está listo para enviar.",
        ),
        (
            r"\breceta\b|\bcocin\w*\b|\bcena\b",
            "**Espaguetis aglio e olio**, para dos, en 15 minutos:\n\n1. Cuece 200 g de espaguetis en agua con sal.\n"
            "2. Lamina 3 dientes de ajo y caliéntalos despacio en 4 cucharadas de aceite de oliva con algo de"
            " guindilla.\n3. Añade la pasta y un cazo de su agua, y saltea.\n4. Perejil por encima.",
        ),
        (r"\bgracias\b|\bgenial\b|\bperfecto\b|\bestupendo\b", "De nada{name}."),
        (
            r"\badiós\b|\bhasta (?:luego|pronto|mañana)\b|\bbuenas noches\b|\bchao\b",
            "¡Hasta pronto{name}! Aquí estaré.",
        ),
    ),
    code_words=re.compile(
        r"\b(?:código|función|programa|script|algoritmo|implementa\w*|escrib\w*|escríbeme|muestra\w*|muéstrame|ejemplo)\b"
    ),
)
