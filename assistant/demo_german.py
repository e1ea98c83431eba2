"""The German of `quillium-demo`: patterns and texts."""

from __future__ import annotations

import re

from assistant.demo_language import Fact, Language, rules, words

_END = (
    r"(?=\s+(?:und|aber)\s+(?:mein|meine|ich|wir|er|sie|es|arbeite|wohne|habe|mag)\b|[.,;!?\n]|\Z)"
)
_VALUE = rf"(?P<value>[^.,;!?\n]{{1,60}}?){_END}"
_NAME = r"(?P<value>[A-Z\u00c0-\u024f][\w'-]{0,40})"

_COMMON_WORDS = words(
    """ab aber alle allem alles als also am an auch auf aus bei beim bin bis bist bitte da danke dann
    das dass dein deine dem den der des dich die dir doch du durch ein eine einem einen einer eines
    er erkläre erzähl erzähle es etwas euch für gegen gerade gern gib guten hab habe haben hallo hast
    hat heißt hier hilf ich ihr im in ist ja jetzt kann kannst kein keine können liebe mach mache mag
    man mein meine meinem meinen mehr mich mir mit moin muss nach nicht noch nun nur ob oder ohne
    schon schreib schreibe sehr sein sich sie sind so soll tag um und uns unter viel vom von vor war
    warum was weiß welche welcher wenn wer werden wie wieviel will wir wird wo woher wohne wohin zeig
    zeige zu zum zur über"""
)

GERMAN = Language(
    code="de",
    usual_words=_COMMON_WORDS,
    likely=frozenset("äöüß"),
    has_decimal_comma=True,
    greeting=re.compile(
        r"^(?:hallo|hi|hey|moin|servus|grüezi|grüß gott|guten (?:morgen|tag|abend))\b"
    ),
    first_message=re.compile(
        r"\b(?:was|womit) habe ich (?:\w+ )?(?:zuerst|als erstes|zu beginn|am anfang)\b"
        r"|\bmeine erste (?:nachricht|frage)\b"
    ),
    last_message=re.compile(
        r"\bwas habe ich (?:gerade|eben|zuletzt|davor)\b|\bmeine (?:letzte|vorige)"
        r" (?:nachricht|frage)\b"
    ),
    recap=re.compile(
        r"\bfass\w* (?:das|dies|alles|unser|die|den|es)?.*zusammen\b|\bzusammenfassung\b"
        r"|\bwas (?:habe ich|haben wir) (?:gesagt|gefragt|besprochen|geredet)\b"
    ),
    known=re.compile(
        r"\bwas weißt du (?:alles )?über mich\b|\bwas habe ich dir (?:über mich )?(?:erzählt|gesagt)\b"
    ),
    capital=re.compile(r"\bhauptst(?:adt|ädte)\b"),
    question=re.compile(
        r"\?|^(?:und |also |aber )?(?:was|wer|wem|wen|wessen|welch\w+|wo|woher|wohin|wann|warum|wieso"
        r"|wie|ist|sind|kann|kannst|könntest|hast|weißt|bist|wird)\b|^(?:bitte )?(?:erzähl|erklär|schreib|zeig|gib|mach"
        r"|nenn|beschreib|übersetz|hilf)e?\b"
    ),
    mine=r"meine?[rsnm]?",
    unknown_fact=re.compile(
        r"\b(?:was|wer|welche\w*|wo|wie)(?: ist| sind| heißt| heissen| heißen| war)? (?P<possessive>meine?[rsnm]?)"
        r" (?P<topic>[\w' -]{1,40})"
    ),
    asked=(
        (re.compile(r"\bwie heiße ich\b|\bwer bin ich\b|\bmein name\b"), "name"),
        (re.compile(r"\bwo(?:her|hin)? (?:wohne|lebe|komme|bin) ich\b"), "home"),
        (re.compile(r"\bwie alt bin ich\b|\bmein alter\b"), "age"),
        (
            re.compile(
                r"\bwas (?:arbeite|mache) ich\b|\bwas ist mein beruf\b|\bals was arbeite ich\b"
            ),
            "job",
        ),
        (re.compile(r"\bwas mag ich\b|\bwas (?:esse|trinke|liebe) ich\b"), "liking"),
    ),
    facts=(
        Fact(re.compile(rf"\b[Mm]ein Name ist {_NAME}"), "du heißt {value}", "name"),
        Fact(re.compile(rf"\b[Ii]ch hei(?:ß|ss)e {_NAME}"), "du heißt {value}", "name"),
        Fact(re.compile(rf"\b[Ii]ch bin (?:die|der) {_NAME}{_END}"), "du heißt {value}", "name"),
        Fact(re.compile(rf"\b(?:ich )?wohne in {_VALUE}", re.I), "du wohnst in {value}", "home"),
        Fact(re.compile(rf"\bich lebe in {_VALUE}", re.I), "du lebst in {value}", "home"),
        Fact(re.compile(rf"\bich komme aus {_VALUE}", re.I), "du kommst aus {value}", "home"),
        Fact(
            re.compile(r"\bich bin (?P<value>\d{1,3})(?: Jahre(?: alt)?)?\b(?! ?[\w%])", re.I),
            "du bist {value} Jahre alt",
            "age",
        ),
        Fact(re.compile(rf"\barbeite als {_VALUE}", re.I), "du arbeitest als {value}", "job"),
        Fact(
            re.compile(
                rf"\bich (?:mag|liebe) (?P<value>(?!dich|dein|das|es\b)[^.,;!?\n]{{1,60}}?){_END}",
                re.I,
            ),
            "du magst {value}",
            "liking",
        ),
        Fact(
            re.compile(rf"\bich habe einen (?P<topic>[\w-]{{1,30}}) namens {_VALUE}", re.I),
            "dein {topic} heißt {value}",
        ),
        Fact(
            re.compile(rf"\bich habe eine (?P<topic>[\w-]{{1,30}}) namens {_VALUE}", re.I),
            "deine {topic} heißt {value}",
        ),
        Fact(
            re.compile(
                rf"\bmein(?P<ending>e?) (?P<topic>[\w-]{{1,30}}(?: [\w-]{{1,30}})?) (?P<verb>heißt|heisst|heißen|ist|sind)"
                rf" {_VALUE}",
                re.I,
            ),
            "dein{ending} {topic} {verb} {value}",
        ),
    ),
    phrases={
        "address": ", {name}",
        "listening": "Ich höre zu.",
        "hello": "Hallo{name}! Ich bin der eingebaute Demo-Assistent. Worüber möchtest du sprechen?",
        "hello_again": "Hallo{name}! Schön, wieder von dir zu hören. Worüber möchtest du sprechen?",
        "met": "Freut mich, {name}! Ich merke mir deinen Namen.",
        "noted": "Gemerkt: {facts}. Frag mich jederzeit danach.",
        "and": " und ",
        "recalled": "Du hast mir gesagt: {fact}.",
        "all_facts": "Du hast mir gesagt:\n\n{facts}",
        "no_facts": "Noch nichts. Erzähl mir zum Beispiel: „Mein Hund heißt Rex.“",
        "not_told": "Das hast du mir noch nicht gesagt. Erzähl es mir, und ich merke es mir.",
        "not_told_this": "Das hast du mir noch nicht gesagt. Erzähl es mir, und ich merke es mir.",
        "file_pixels": "Du hast `{name}` geschickt: ein Bild ({kind}, {size}) mit {width} × {height} Pixeln.",
        "file_image": "Du hast `{name}` geschickt: ein Bild ({kind}, {size}).",
        "file_text": "Du hast `{name}` geschickt: einen Text ({size}), der so beginnt: „{quote}“",
        "file_pdf": "Du hast `{name}` geschickt: eine PDF-Datei ({size}), die so beginnt: „{quote}“",
        "file_other": "Du hast `{name}` geschickt: eine Datei mit {size} ({kind}), die ich nicht lesen kann.",
        "nothing_yet": "Noch nichts: Das ist deine erste Nachricht in dieser Unterhaltung.",
        "first_was": "Deine erste Nachricht war: „{quote}“",
        "last_was": "Gerade eben hast du gesagt: „{quote}“",
        "said_all": "Du hast gesagt:\n\n{list}",
        "said_last": "Die letzten 10 deiner {count} Nachrichten:\n\n{list}",
        "asked": "Du hast gefragt: „{quote}“",
        "said": "Du hast gesagt: „{quote}“",
        "shared": "Das passt zu dem, was du über {topic} gesagt hast: „{quote}“",
        "modest": "Ich bin nur eine Demo aus festen Regeln und weiß das nicht. Frag mich nach einem"
        " Haiku, nach der Hauptstadt eines Landes, nach 12 % von 250, einer Tabelle, einem Plan oder"
        " Code in Python; `/help` zeigt mehr.",
        "more": "Erzähl mir mehr.",
        "more_about": "Erzähl mir mehr über {topic}.",
        "capital": "Die Hauptstadt ist **{capital}** ({country}).",
        "which_country": "Die Hauptstadt welches Landes? Ich kenne die von {count} Ländern.",
        "unknown_country": "Ich kenne die Hauptstädte von {count} Ländern, aber dieses erkenne ich nicht.",
        "country": "Land",
        "capital_word": "Hauptstadt",
        "code": "Hier ist {task} in {language}:",
        "codes": "Hier ist {task} in fünf Sprachen:",
        "no_code": "Ich kann nur ein paar Beispiele auswendig: {tasks}. Hier ist eines davon in {language}.",
        "translation": "„{word}“ heißt auf {language} **{translation}**.",
        "hello_world": "„Hallo, Welt“",
        "fibonacci": "die Fibonacci-Folge",
        "fizzbuzz": "FizzBuzz",
        "reverse": "eine Funktion, die einen Text umdreht",
        "factorial": "die Fakultät",
        "prime": "ein Primzahltest",
        "sort": "eine Sortierfunktion",
        "zero": "Durch null kann man nicht teilen.",
    },
    rules=rules(
        (
            r"\bwie geht'?s\b|\bwie geht es (?:dir|ihnen)\b|\balles (?:klar|gut)\b",
            "Gut, danke: kein Netz, keine Sorgen. Und dir?",
        ),
        (
            r"\b(?:bist du|ist das) (?:chat ?gpt|gpt|claude|gemini|eine? (?:ki|mensch|echte\w*|roboter|bot"
            r"|sprachmodell)|echt)\b|\bwelches (?:\w+-?)?modell\b|\bein mensch\b",
            "Ich bin `quillium-demo`: ein paar hundert Zeilen Regeln, kein Sprachmodell und kein Mensch."
            " Deshalb antworte ich sofort, ohne Netz und immer gleich. Quillium arbeitet auch mit echten"
            " Modellen: Sobald ein Server verbunden ist, wählst du eines im Menü dieses Chats.",
        ),
        (
            r"\bwer bist du\b|\bwas bist du\b|\bwie heißt du\b|\bdein name\b|\bwer hat dich\b|\bstell dich vor\b",
            "Ich bin `quillium-demo`, der in Quillium eingebaute Demo-Assistent. Ich bestehe aus Regeln und"
            " nicht aus einem Sprachmodell, damit sich hier alles ohne Netz ausprobieren lässt. Was du mir"
            " in dieser Unterhaltung erzählst, merke ich mir; `/help` zeigt meine Befehle.",
        ),
        (
            r"\bwas kannst du\b|\bwas (?:kann|darf) ich (?:dich )?(?:fragen|tun)\b|\bhilf mir\b|\bhilfe\b"
            r"|\b(?:wie|wobei) kannst du (?:mir )?helfen\b",
            "Ich bin eine Demo, aber ich kann mehr als nicken:\n\n"
            "- **merken**, was du mir erzählst: „Mein Hund heißt Rex“, und später „Wie heißt mein Hund?“\n"
            "- **rechnen**: „12 % von 250“\n- Hauptstädte **wissen**: „Was ist die Hauptstadt von Japan?“\n"
            "- **erklären**: Rekursion, warum der Himmel blau ist, was ein WebSocket ist\n"
            "- **schreiben**: ein Haiku, einen Plan, eine Tabelle, eine E-Mail, Code in sechs Sprachen\n"
            "- **sprechen**: Deutsch, Englisch, Französisch, Spanisch und Chinesisch\n\n"
            "`/help` nennt Befehle, die zeigen, was die Seite darstellen kann.",
        ),
        (
            r"\bwas ist quillium\b|\bquillium\b.*\berklär|\berklär\w*\b.*\bquillium\b",
            "Quillium ist ein Chat mit KI-Modellen auf dem eigenen Server: ein Prozess und eine"
            " SQLite-Datei. Es hat eine REST-API, einen WebSocket, diese Seite und eine zu OpenAI"
            " kompatible API. Es verbindet sich mit Ollama, LM Studio und jedem kompatiblen Server; ohne"
            " einen solchen antworte ich.",
        ),
        (
            r"\bmeine daten\b|\bdatenschutz\b|\bwo (?:wird|werden|liegt|liegen)\b.*\b(?:gespeichert|nachrichten)\b",
            "Deine Nachrichten liegen in einer SQLite-Datei auf dem Rechner, auf dem Quillium läuft. Ich"
            " sende nichts irgendwohin. Verbindet ein Administrator ein anderes Modell, gehen Nachrichten"
            " an dieses Modell zu dessen Server.",
        ),
        (
            r"\b(?:verbind\w*|benutz\w*|nutz\w*|einricht\w*|installier\w*)\b.*\b(?:modelle?|ollama|lm studio)\b",
            "1. Starte [Ollama](https://ollama.com) oder LM Studio auf diesem Rechner; Quillium findet es.\n"
            "2. Oder trage einen OpenAI-kompatiblen Server in den Einstellungen unter *Anbieter* ein.\n"
            "3. Wähle dann das Modell im Menü eines Chats.",
        ),
        (
            r"\bhaiku\b.*\b(?:meer|see|strand|welle|wasser)",
            "Wellen schreiben Sand,\ndie Flut liest jede Zeile –\nund will noch ein Blatt.",
        ),
        (
            r"\bhaiku\b.*\b(?:code|programm|computer|software|fehler)",
            "Eine Klammer fehlt.\nDie ganze Nacht blinkt der Strich,\nam Morgen läuft es.",
        ),
        (
            r"\bhaiku\b.*\b(?:winter|schnee)",
            "Schnee auf den Briefen,\ndie Spur des Boten ist heut\ndie einz'ge Zeile.",
        ),
        (
            r"\b(?:haiku|gedicht|reim|vers)\b",
            "Feder und Tinte,\nnoch ist die Seite ganz weiß –\ndas erste Wort naht.",
        ),
        (
            r"\bwitz\b|\bbring mich zum lachen\b|\betwas lustiges\b",
            "Eine SQL-Abfrage kommt in eine Bar, geht zu zwei Tischen und fragt: „Darf ich joinen?“",
        ),
        (
            r"\brekursion\b|\brekursiv",
            "**Rekursion** heißt: Eine Funktion löst eine Aufgabe, indem sie sich selbst mit einer"
            " kleineren Aufgabe aufruft – so lange, bis die Antwort offensichtlich ist.\n\n"
            "```python\ndef fakultaet(n: int) -> int:\n    if n <= 1:  # der einfachste Fall: hier ist Schluss\n"
            "        return 1\n    return n * fakultaet(n - 1)  # eine kleinere Aufgabe\n```\n\n"
            "`fakultaet(4)` ist 4 · `fakultaet(3)`, also 4 · 3 · 2 · 1 = 24. Ohne den einfachsten Fall würde"
            " es nie enden. Um Rekursion besser zu verstehen, frag mich noch einmal.",
        ),
        (
            r"\bhimmel\b.*\bblau\b|\bblau\b.*\bhimmel\b",
            "Im Sonnenlicht stecken alle Farben. Die Moleküle der Luft streuen **kurze Wellenlängen** (blau)"
            " viel stärker als lange (rot): Die Stärke wächst mit $1/\\lambda^4$. Deshalb kommt blaues Licht"
            " aus allen Richtungen. Abends ist der Weg durch die Luft länger, das Blau geht unterwegs"
            " verloren, und die Sonne sieht rot aus.",
        ),
        (
            r"\bphotosynthese\b|\bfotosynthese\b",
            "Bei der **Photosynthese** machen Pflanzen aus Licht, Wasser und Kohlendioxid Zucker und"
            " Sauerstoff:\n\n$$6\\,CO_2 + 6\\,H_2O \\rightarrow C_6H_{12}O_6 + 6\\,O_2$$\n\nDas Licht fängt das"
            " Chlorophyll ein; es ist grün, weil es grünes Licht übrig lässt.",
        ),
        (
            r"\bweb ?sockets?\b",
            "Ein **WebSocket** ist eine Verbindung, die offen bleibt und über die Server und Browser jederzeit"
            " senden können. Bei einfachem HTTP muss der Browser erst fragen. Dieser Chat benutzt einen:"
            " Jedes Wort dieser Antwort kam darüber.",
        ),
        (
            r"\bapi\b",
            "Eine **API** ist eine Vereinbarung, nach der Programme miteinander reden: welche Anfragen es"
            " gibt, was sie brauchen und was zurückkommt. Eine REST-API benutzt dafür HTTP: `GET` liest,"
            " `POST` legt an, `DELETE` löscht. Die API von Quillium lässt sich unter `/docs` ausprobieren.",
        ),
        (
            r"\bsprachmodelle?\b|\bkünstliche intelligenz\b|\bki\b|\bmaschinelles lernen\b|\bllms?\b",
            "Ein **Sprachmodell** ist ein großes Netz aus Zahlen, das aus sehr viel Text gelernt hat, welches"
            " Wort wohl als Nächstes kommt. Aus dieser einen Fähigkeit entstehen Antworten,"
            " Zusammenfassungen und Code – und Fehler, die überzeugend klingen. Ich bin keines: Ich bestehe"
            " aus Regeln.",
        ),
        (
            r"\bsinn des lebens\b",
            "42, wie man weiß. Ich bin nur eine Demo; die Frage dazu musst du selbst finden.",
        ),
        (
            r"\bwie spät\b|\bwie viel uhr\b|\bwelche[rs]? (?:tag|datum|jahr)\b|\bwetter\b|\bnachrichten von heute\b",
            "Das weiß ich nicht: Ich habe keine Uhr, kein Netz und kein Fenster. Darum sage ich jedes Mal"
            " dasselbe, und genau das braucht eine Demo.",
        ),
        (
            r"\btabelle\b.*\b(?:programmiersprachen?|python|javascript|rust)\b|\bvergleich\w*\b.*\b(?:python"
            r"|javascript|rust|programmiersprachen)\b",
            "| Sprache | Typen | bekannt für |\n|---|---|---|\n| Python | dynamisch | Daten, Skripte, Lehre |\n"
            "| JavaScript | dynamisch | jede Webseite |\n| TypeScript | statisch, freiwillig | große Oberflächen |\n"
            "| Go | statisch | Server, Werkzeuge |\n| Rust | statisch | Tempo ohne Speicherbereinigung |",
        ),
        (
            r"\btabelle\b|\bplaneten?\b",
            "| Planet | Durchmesser (km) | Monde | Jahr |\n|:---|---:|---:|---:|\n"
            "| Merkur | 4.879 | 0 | 88 Tage |\n| Venus | 12.104 | 0 | 225 Tage |\n"
            "| Erde | 12.756 | 1 | 365 Tage |\n| Mars | 6.792 | 2 | 687 Tage |\n"
            "| Jupiter | 142.984 | über 90 | 12 Jahre |\n| Saturn | 120.536 | über 140 | 29 Jahre |\n"
            "| Uranus | 51.118 | 28 | 84 Jahre |\n| Neptun | 49.528 | 16 | 165 Jahre |",
        ),
        (
            r"\b(?:plan\w*|organisier\w*)\b.*\b(?:reise|wochenende|urlaub|ausflug|städtetrip|tour|besuch)\b"
            r"|\b(?:reise|wochenend|urlaubs)-?(?:plan|reise)\b",
            "### Tag 1: ankommen\n\n- [ ] Gepäck ins Hotel bringen und einmal um den Block gehen\n"
            "- [ ] Mittagessen, wo die Karte kurz ist\n- [ ] Die Altstadt zu Fuß, ohne Stadtplan\n"
            "- [ ] Ein Aussichtspunkt zum Sonnenuntergang\n\n### Tag 2: sehen\n\n"
            "- [ ] Ein Museum, früh, vor der Schlange\n- [ ] Der Markt und ein Picknick im Park\n"
            "- [ ] Ein Boot, eine Straßenbahn oder eine Seilbahn\n- [ ] Abendessen: einen Tisch reservieren\n\n"
            "### Tag 3: abreisen\n\n- [ ] Ein langes Frühstück\n- [ ] Eine Sache, die du ausgelassen hast\n\n"
            "> Lass jede zweite Stunde frei. Sie füllt sich von selbst.",
        ),
        (
            r"\b\w*plan\b|\bplane\b|\baufgabenliste\b|\bcheckliste\b|\bto-?do\b",
            "Hier ist ein Plan für vier Wochen:\n\n1. **Woche 1 – Ziel.** Schreib in einem Satz auf, was am Ende"
            " anders sein soll.\n   - [ ] Ein gutes Vorbild suchen\n   - [ ] Eine halbe Stunde am Tag freihalten\n"
            "2. **Woche 2 – Grundlagen.** Mach die kleinste Fassung, die funktioniert.\n   - [ ] Fertig werden,"
            " auch wenn sie hässlich ist\n3. **Woche 3 – Übung.** Mach es noch einmal, schwerer.\n   - [ ] Jemanden"
            " um eine ehrliche Meinung bitten\n4. **Woche 4 – Zeigen.** Führe es jemandem vor.\n   - [ ] Notieren,"
            " was du beim nächsten Mal anders machst",
        ),
        (
            r"\be-?mail\b|\bmail\b|\bbrief\b",
            "> **Betreff:** Freier Tag am Freitag\n>\n> Liebe Frau Müller,\n>\n> ich möchte am kommenden Freitag"
            " gern freinehmen. Meine Aufgaben für diese Woche sind bis Donnerstag erledigt, und Sam vertritt"
            " mich.\n>\n> Ist das in Ordnung?\n>\n> Viele Grüße\n\nTausch die Namen aus, und sie kann hinaus.",
        ),
        (
            r"\brezept\b|\bkoch\w*\b|\babendessen\b",
            "**Spaghetti aglio e olio**, für zwei, in 15 Minuten:\n\n1. 200 g Spaghetti in Salzwasser kochen.\n"
            "2. 3 Knoblauchzehen in Scheiben schneiden und in 4 Esslöffeln Olivenöl mit etwas Chili langsam"
            " erwärmen.\n3. Nudeln und eine Kelle Kochwasser dazugeben und schwenken.\n4. Petersilie darüber.",
        ),
        (r"\b(?:danke|dankeschön|vielen dank|super|perfekt|toll)\b", "Gern geschehen{name}."),
        (
            r"\b(?:tschüss|tschüs|auf wiedersehen|bis bald|bis später|gute nacht|ciao)\b",
            "Bis bald{name}! Ich bin da.",
        ),
    ),
    code_words=re.compile(
        r"\b(?:code|funktion|programm|skript|algorithmus|implementier\w*|schreib\w*|zeig\w*|beispiel)\b"
    ),
)
