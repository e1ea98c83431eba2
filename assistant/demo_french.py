"""The French of `quillium-demo`: patterns and texts."""

from __future__ import annotations

import re

from assistant.demo_language import Fact, Language, rules, words

_END = r"(?=\s+(?:et|mais)\s+(?:mon|ma|mes|je|j'|nous|il|elle|travaille|habite)|\s*[.,;!?\n]|\s*\Z)"
_VALUE = rf"(?P<value>[^.,;!?\n]{{1,60}}?){_END}"
_NAME = r"(?P<value>[A-Z\u00c0-\u024f][\w'-]{0,40})"

_COMMON_WORDS = words(
    """ai aime alors as au aussi aux avec avez beaucoup bonjour bonsoir c ce ces cet cette chez comme
    comment d dans de des dis donne donnez du elle en encore es est et eu expliquez explique fais
    faire fait font habite il ils j je l la le les leur lui m ma mais me merci mes moi mon montre n ne
    nos nous on ou où par parle pas peut peux plus pour pourquoi pouvez qu quand que quel quelle quelles
    quels qui quoi s sa salut se ses si son sont suis sur t ta te tes toi ton tous tout très tu un une
    va vas veux vos votre vous y écris écrire écrivez était à été être"""
)

FRENCH = Language(
    code="fr",
    usual_words=_COMMON_WORDS,
    likely=frozenset("àâçèêëîïôùûœ"),
    has_decimal_comma=True,
    greeting=re.compile(r"^(?:bonjour|salut|bonsoir|coucou|allô)\b"),
    first_message=re.compile(
        r"\bmon premier message\b|\bma première (?:question|phrase)\b"
        r"|\bqu'(?:ai-je|est-ce que j'ai) (?:dit|demandé|écrit) (?:en premier|au début|d'abord)"
    ),
    last_message=re.compile(
        r"\bmon dernier message\b|\bma dernière (?:question|phrase)\b"
        r"|\bqu(?:'ai-je|'est-ce que j'ai|e viens-je)\b.*\b(?:juste avant|à l'instant|de dire)\b"
    ),
    recap=re.compile(
        r"\brésum(?:e|er|ez|é)\b(?:.*\b(?:conversation|discussion|tout|ça|cela)\b|[ .!?]*$)"
        r"|\bqu'(?:ai-je|avons-nous|est-ce que j'ai|est-ce qu'on a) (?:dit|demandé)\b"
    ),
    known=re.compile(
        r"\bque sai[ts]-(?:tu|vous) (?:de|sur) moi\b|\bqu'est-ce que (?:tu sais|vous savez) (?:de|sur) moi\b"
        r"|\bque savez-vous (?:de|sur) moi\b|\bqu(?:e t'|e vous )ai-je (?:dit|raconté)\b"
    ),
    capital=re.compile(r"\bcapitales?\b"),
    question=re.compile(
        r"\?|^(?:et |alors |mais )?(?:qu'|que |qui |quoi|quels?|quelles?|où |quand |pourquoi|comment|combien"
        r"|est-ce|es-tu|êtes-vous|peux-tu|pouvez-vous|as-tu|avez-vous|c'est quoi)"
        r"|^(?:dis|dites|raconte|explique|écri|donne|montre|fais|faites|décri|tradui)"
    ),
    mine=r"(?:mon|ma|mes)",
    unknown_fact=re.compile(
        r"\b(?:quels?|quelles?|qui|où|comment) (?:est|sont|s'appelle|s'appellent) (?:mon|ma|mes)"
        r" (?P<topic>[\w' -]{1,40})"
    ),
    asked=(
        (
            re.compile(
                r"\bcomment (?:je m'appelle|est-ce que je m'appelle|m'appell?e[- ]?je)|\bqui suis-je\b|\bmon (?:pré)?nom\b"
            ),
            "name",
        ),
        (
            re.compile(
                r"\boù (?:est-ce que )?j'habite\b|\boù (?:habité|habite)-je\b|\boù (?:est-ce que )?je vis\b|\bd'où (?:je viens|viens-je)\b"
            ),
            "home",
        ),
        (re.compile(r"\bquel âge (?:j'ai|ai-je|est-ce que j'ai)\b|\bmon âge\b"), "age"),
        (re.compile(r"\bquel est mon (?:métier|travail)\b|\bque fais-je\b"), "job"),
        (re.compile(r"\bqu'est-ce que j'aime\b|\bque j'aime\b|\bqu'aimé-je\b"), "liking"),
    ),
    facts=(
        Fact(re.compile(rf"\b[Jj]e m'appelle {_NAME}"), "vous vous appelez {value}", "name"),
        Fact(re.compile(rf"\b[Mm]on (?:pré)?nom est {_NAME}"), "vous vous appelez {value}", "name"),
        Fact(
            re.compile(rf"\bj'habite (?P<place>à|au|aux|en) {_VALUE}", re.I),
            "vous habitez {place} {value}",
            "home",
        ),
        Fact(
            re.compile(rf"\bje vis (?P<place>à|au|aux|en) {_VALUE}", re.I),
            "vous vivez {place} {value}",
            "home",
        ),
        Fact(
            re.compile(rf"\bje viens (?P<place>de|du|des) {_VALUE}", re.I),
            "vous venez {place} {value}",
            "home",
        ),
        Fact(re.compile(r"\bj'ai (?P<value>\d{1,3}) ans\b", re.I), "vous avez {value} ans", "age"),
        Fact(
            re.compile(rf"\bje travaille comme {_VALUE}", re.I),
            "vous travaillez comme {value}",
            "job",
        ),
        Fact(re.compile(rf"\bj'(?:aime|adore) {_VALUE}", re.I), "vous aimez {value}", "liking"),
        Fact(
            re.compile(rf"\bj'ai un (?P<topic>[\w-]{{1,30}}) qui s'appelle {_VALUE}", re.I),
            "votre {topic} s'appelle {value}",
        ),
        Fact(
            re.compile(rf"\bj'ai une (?P<topic>[\w-]{{1,30}}) qui s'appelle {_VALUE}", re.I),
            "votre {topic} s'appelle {value}",
        ),
        Fact(
            re.compile(
                rf"\b(?:mon|ma) (?P<topic>[\w' -]{{1,40}}?) (?P<verb>s'appelle|est) {_VALUE}", re.I
            ),
            "votre {topic} {verb} {value}",
        ),
        Fact(
            re.compile(
                rf"\bmes (?P<topic>[\w' -]{{1,40}}?) (?P<verb>s'appellent|sont) {_VALUE}", re.I
            ),
            "vos {topic} {verb} {value}",
        ),
    ),
    phrases={
        "address": ", {name}",
        "listening": "Je vous écoute.",
        "hello": "Bonjour{name} ! Je suis l'assistant de démonstration intégré. De quoi voulez-vous parler ?",
        "hello_again": "Bonjour{name} ! Ravi de vous relire. De quoi voulez-vous parler ?",
        "met": "Enchanté, {name} ! Je retiens votre nom.",
        "noted": "C'est noté : {facts}. Posez-moi la question quand vous voulez.",
        "and": " et ",
        "recalled": "Vous m'avez dit : {fact}.",
        "all_facts": "Vous m'avez dit :\n\n{facts}",
        "no_facts": "Rien encore. Dites-moi par exemple : « Mon chien s'appelle Rex. »",
        "not_told": "Vous ne me l'avez pas encore dit. Dites-le-moi, et je m'en souviendrai.",
        "not_told_this": "Vous ne me l'avez pas encore dit. Dites-le-moi, et je m'en souviendrai.",
        "file_pixels": "Vous avez envoyé `{name}` : une image ({kind}, {size}) de {width} × {height} pixels.",
        "file_image": "Vous avez envoyé `{name}` : une image ({kind}, {size}).",
        "file_text": "Vous avez envoyé `{name}` : un texte ({size}) qui commence par « {quote} »",
        "file_pdf": "Vous avez envoyé `{name}` : un fichier PDF ({size}) qui commence par « {quote} »",
        "file_other": "Vous avez envoyé `{name}` : un fichier de {size} ({kind}) que je ne sais pas lire.",
        "nothing_yet": "Rien encore : c'est votre premier message dans cette conversation.",
        "first_was": "Votre premier message était : « {quote} »",
        "last_was": "Juste avant, vous avez dit : « {quote} »",
        "said_all": "Vous avez dit :\n\n{list}",
        "said_last": "Les 10 derniers de vos {count} messages :\n\n{list}",
        "asked": "Vous avez demandé : « {quote} »",
        "said": "Vous avez dit : « {quote} »",
        "shared": "Cela rejoint ce que vous avez dit de {topic} : « {quote} »",
        "modest": "Je ne suis qu'une démonstration faite de règles, et je ne le sais pas. Demandez-moi un"
        " haïku, la capitale d'un pays, 12 % de 250, un tableau, un plan ou du code en Python ; `/help`"
        " en montre davantage.",
        "more": "Dites-m'en plus.",
        "more_about": "Dites-m'en plus sur {topic}.",
        "capital": "La capitale est **{capital}** ({country}).",
        "which_country": "La capitale de quel pays ? Je connais celles de {count} pays.",
        "unknown_country": "Je connais les capitales de {count} pays, mais je ne reconnais pas celui-ci.",
        "country": "pays",
        "capital_word": "capitale",
        "code": "Voici {task} en {language} :",
        "codes": "Voici {task} en cinq langages :",
        "no_code": "Je ne connais par cœur que quelques exemples : {tasks}. En voici un en {language}.",
        "translation": "« {word} » se dit **{translation}** en {language}.",
        "hello_world": "« Bonjour le monde »",
        "fibonacci": "la suite de Fibonacci",
        "fizzbuzz": "FizzBuzz",
        "reverse": "une fonction qui inverse un texte",
        "factorial": "la factorielle",
        "prime": "un test de nombre premier",
        "sort": "une fonction de tri",
        "zero": "On ne peut pas diviser par zéro.",
    },
    rules=rules(
        (
            r"\b(?:comment )?ça va\b|\bcomment (?:vas-tu|allez-vous|tu vas)\b",
            "Bien, merci : pas de réseau, pas de soucis. Et vous ?",
        ),
        (
            r"\b(?:es-tu|êtes-vous|tu es|vous êtes|c'est) (?:chat ?gpt|gpt|claude|gemini|une? (?:ia|humaine?|vraie?|robot"
            r"|personne|modèle)|humain)\b|\bquel modèle\b",
            "Je suis `quillium-demo` : quelques centaines de lignes de règles, ni un modèle de langage ni un"
            " humain. C'est pourquoi je réponds tout de suite, sans réseau et toujours de la même façon."
            " Quillium fonctionne aussi avec de vrais modèles : choisissez-en un dans le menu de cette"
            " conversation dès qu'un serveur est connecté.",
        ),
        (
            r"\bqui (?:es-tu|êtes-vous|tu es|vous êtes)\b|\b(?:t'|vous )es[- ]qui\b|\bcomment (?:t'appelles-tu|tu t'appelles"
            r"|vous appelez-vous)\b|\bton nom\b|\bvotre nom\b|\bprésente-toi\b|\bprésentez-vous\b",
            "Je suis `quillium-demo`, l'assistant de démonstration intégré à Quillium. Je suis fait de règles et"
            " non d'un modèle de langage, pour que tout puisse être essayé sans réseau. Je retiens ce que vous"
            " me dites dans cette conversation ; `/help` montre mes commandes.",
        ),
        (
            r"\bque (?:sais-tu|savez-vous|peux-tu|pouvez-vous) (?:faire|m'aider)|\bqu'est-ce que (?:tu (?:peux|sais)|vous"
            r" (?:pouvez|savez)) faire\b|\bque puis-je (?:te |vous )?demander\b|\baide(?:-moi|z-moi)?\b",
            "Je suis une démonstration, mais je sais faire plus que hocher la tête :\n\n"
            "- **retenir** ce que vous me dites : « Mon chien s'appelle Rex », puis « Comment s'appelle mon"
            " chien ? »\n- **calculer** : « 12 % de 250 »\n"
            "- **connaître** les capitales : « Quelle est la capitale du Japon ? »\n"
            "- **expliquer** la récursivité, pourquoi le ciel est bleu, ou ce qu'est un WebSocket\n"
            "- **écrire** un haïku, un plan, un tableau, un e-mail, ou du code en six langages\n"
            "- **parler** français, anglais, allemand, espagnol et chinois\n\n"
            "`/help` donne des commandes qui montrent ce que la page sait afficher.",
        ),
        (
            r"\bqu'est-ce que quillium\b|\bc'est quoi quillium\b|\bexplique\w*\b.*\bquillium\b",
            "Quillium est une messagerie avec des modèles d'IA sur votre propre serveur : un processus et un"
            " fichier SQLite. Il offre une API REST, un WebSocket, cette page et une API compatible avec"
            " OpenAI. Il se connecte à Ollama, à LM Studio et à tout serveur compatible ; sinon, c'est moi"
            " qui réponds.",
        ),
        (
            r"\bmes données\b|\bmes messages\b.*\b(?:stockés|enregistrés|conservés)\b|\bconfidentialité\b",
            "Vos messages sont conservés dans un fichier SQLite, sur la machine où tourne Quillium. Je n'envoie"
            " rien nulle part. Si un administrateur connecte un autre modèle, les messages destinés à ce"
            " modèle vont à son serveur.",
        ),
        (
            r"\b(?:connect\w*|utilis\w*|install\w*|ajout\w*)\b.*\b(?:modèles?|ollama|lm studio)\b",
            "1. Lancez [Ollama](https://ollama.com) ou LM Studio sur cette machine ; Quillium le trouve.\n"
            "2. Ou ajoutez un serveur compatible avec OpenAI dans les réglages, sous *Fournisseurs*.\n"
            "3. Choisissez ensuite le modèle dans le menu d'une conversation.",
        ),
        (
            r"\bha[iï]ku\b.*\b(?:mer|océan|plage|vague|eau)",
            "La vague écrit,\nle sable garde une ligne,\nla marée la lit.",
        ),
        (
            r"\bha[iï]ku\b.*\b(?:code|programm|ordinateur|logiciel)",
            "Une accolade manque,\ntoute la nuit le curseur –\nà l'aube, ça marche.",
        ),
        (
            r"\b(?:ha[iï]ku|poème|poésie|vers)\b",
            "Une plume, de l'encre,\nla page est encore blanche –\nle premier mot vient.",
        ),
        (
            r"\bblague\b|\bfais-moi rire\b|\bquelque chose de drôle\b",
            "Une requête SQL entre dans un bar, va vers deux tables et demande : « Je peux faire une jointure ? »",
        ),
        (
            r"\brécursi(?:on|vité|ve|f)\b",
            "La **récursivité**, c'est quand une fonction résout un problème en s'appelant elle-même sur un"
            " problème plus petit, jusqu'à ce que la réponse soit évidente.\n\n"
            "```python\ndef factorielle(n: int) -> int:\n    if n <= 1:  # le cas de base : on s'arrête\n"
            "        return 1\n    return n * factorielle(n - 1)  # un problème plus petit\n```\n\n"
            "`factorielle(4)` vaut 4 · `factorielle(3)`, donc 4 · 3 · 2 · 1 = 24. Sans cas de base, cela ne"
            " finirait jamais. Pour mieux comprendre la récursivité, redemandez-moi.",
        ),
        (
            r"\bciel\b.*\bbleu\b|\bbleu\b.*\bciel\b",
            "La lumière du soleil contient toutes les couleurs. Les molécules de l'air diffusent les **courtes"
            " longueurs d'onde** (le bleu) bien plus que les longues (le rouge) : l'intensité croît comme"
            " $1/\\lambda^4$. La lumière bleue arrive donc de partout. Le soir, elle traverse plus d'air, le"
            " bleu se perd en route, et le soleil paraît rouge.",
        ),
        (
            r"\bphotosynthèse\b",
            "Par la **photosynthèse**, les plantes changent la lumière, l'eau et le dioxyde de carbone en sucre et"
            " en oxygène :\n\n$$6\\,CO_2 + 6\\,H_2O \\rightarrow C_6H_{12}O_6 + 6\\,O_2$$\n\nLa lumière est captée"
            " par la chlorophylle, verte parce qu'elle laisse la lumière verte.",
        ),
        (
            r"\bweb ?sockets?\b",
            "Un **WebSocket** est une connexion qui reste ouverte et sur laquelle serveur et navigateur peuvent"
            " envoyer à tout moment. Avec HTTP seul, le navigateur doit d'abord demander. Cette conversation"
            " en utilise un : chaque mot de cette réponse est passé par lui.",
        ),
        (
            r"\bapi\b",
            "Une **API** est un accord selon lequel des programmes se parlent : quelles requêtes existent, ce"
            " qu'il leur faut, ce qu'elles rendent. Une API REST utilise HTTP : `GET` lit, `POST` crée,"
            " `DELETE` supprime. Celle de Quillium s'essaie sous `/docs`.",
        ),
        (
            r"\bmodèles? de langage\b|\bintelligence artificielle\b|\bl'ia\b|\bllms?\b",
            "Un **modèle de langage** est un grand réseau de nombres qui a appris, dans beaucoup de textes, quel"
            " mot vient sans doute ensuite. De cette seule aptitude naissent réponses, résumés et code – et des"
            " erreurs convaincantes. Je n'en suis pas un : je suis fait de règles.",
        ),
        (
            r"\bsens de la vie\b",
            "42, comme chacun sait. Je ne suis qu'une démonstration ; la question, à vous de la trouver.",
        ),
        (
            r"\bquelle heure\b|\bquel jour\b|\bquelle (?:date|année)\b|\bmétéo\b|\bquel temps\b",
            "Je ne sais pas : je n'ai ni horloge, ni réseau, ni fenêtre. C'est pourquoi je dis toujours la même"
            " chose, et c'est ce qu'il faut à une démonstration.",
        ),
        (
            r"\btableau\b.*\b(?:langages?|python|javascript|rust)\b|\bcompare\w*\b.*\b(?:python|javascript|rust|langages)\b",
            "| langage | types | connu pour |\n|---|---|---|\n| Python | dynamiques | données, scripts, enseignement |\n"
            "| JavaScript | dynamiques | toutes les pages web |\n| TypeScript | statiques, facultatifs | grandes interfaces |\n"
            "| Go | statiques | serveurs, outils |\n| Rust | statiques | vitesse sans ramasse-miettes |",
        ),
        (
            r"\btableau\b|\bplanètes?\b",
            "| planète | diamètre (km) | lunes | année |\n|:---|---:|---:|---:|\n"
            "| Mercure | 4 879 | 0 | 88 jours |\n| Vénus | 12 104 | 0 | 225 jours |\n"
            "| Terre | 12 756 | 1 | 365 jours |\n| Mars | 6 792 | 2 | 687 jours |\n"
            "| Jupiter | 142 984 | plus de 90 | 12 ans |\n| Saturne | 120 536 | plus de 140 | 29 ans |\n"
            "| Uranus | 51 118 | 28 | 84 ans |\n| Neptune | 49 528 | 16 | 165 ans |",
        ),
        (
            r"\b(?:plan\w*|organis\w*|prépare\w*|itinéraire)\b.*\b(?:voyage|week-?end|vacances|séjour|visite|excursion)\b"
            r"|\bitinéraire\b",
            "### Jour 1 : arriver\n\n- [ ] Déposer les bagages, et faire le tour du quartier\n"
            "- [ ] Déjeuner là où la carte est courte\n- [ ] La vieille ville à pied, sans plan\n"
            "- [ ] Un point de vue au coucher du soleil\n\n### Jour 2 : voir\n\n- [ ] Un musée, tôt, avant la file\n"
            "- [ ] Le marché, et un pique-nique au parc\n- [ ] Un bateau, un tram ou un téléphérique\n"
            "- [ ] Le dîner : réserver une table\n\n### Jour 3 : repartir\n\n- [ ] Un long petit déjeuner\n"
            "- [ ] Une chose que vous aviez laissée\n\n> Laissez libre une heure sur deux. Elle se remplit toute seule.",
        ),
        (
            r"\bplans?\b|\bplanning\b|\bplanifi\w*\b|\bliste de tâches\b|\bprogramme d'(?:entraînement|étude)",
            "Voici un plan pour quatre semaines :\n\n1. **Semaine 1 – le but.** Écrivez en une phrase ce qui sera"
            " différent à la fin.\n   - [ ] Trouver un bon exemple\n   - [ ] Réserver une demi-heure par jour\n"
            "2. **Semaine 2 – les bases.** Faites la plus petite version qui marche.\n   - [ ] La finir, même laide\n"
            "3. **Semaine 3 – la pratique.** Refaites-la, en plus difficile.\n   - [ ] Demander un avis honnête\n"
            "4. **Semaine 4 – montrer.** Présentez-la à quelqu'un.\n   - [ ] Noter ce que vous ferez autrement",
        ),
        (
            r"\be-?mail\b|\bcourriel\b|\blettre\b|\bmail\b",
            "> **Objet :** Un jour de congé vendredi\n>\n> Madame,\n>\n> Je souhaiterais prendre un congé vendredi"
            " prochain. Mes tâches de la semaine seront terminées jeudi, et Sam a accepté de me remplacer.\n>\n"
            "> Cela vous convient-il ?\n>\n> Cordialement\n\nChangez les noms, et il est prêt à partir.",
        ),
        (
            r"\brecette\b|\bcuisin\w*\b|\bdîner\b",
            "**Spaghettis aglio e olio**, pour deux, en 15 minutes :\n\n1. Cuire 200 g de spaghettis dans de l'eau"
            " salée.\n2. Émincer 3 gousses d'ail et les tiédir dans 4 cuillères d'huile d'olive avec un peu de"
            " piment.\n3. Ajouter les pâtes et une louche de leur eau, et mélanger.\n4. Persil par-dessus.",
        ),
        (r"\bmerci\b|\bsuper\b|\bparfait\b|\bgénial\b", "Avec plaisir{name}."),
        (
            r"\bau revoir\b|\bà bientôt\b|\bbonne nuit\b|\bà plus\b",
            "À bientôt{name} ! Je reste ici.",
        ),
    ),
    code_words=re.compile(
        r"\b(?:code|fonction|programme|script|algorithme|implémente\w*|écri\w+|montre\w*|exemple)\b"
    ),
)
