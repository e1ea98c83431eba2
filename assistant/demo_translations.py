"""The words that `quillium-demo` can translate."""

from __future__ import annotations

import re

from assistant.demo_language import Language

# English, German, French, Spanish, Chinese, Italian, Japanese.
_WORDS = """\
good morning|guten Morgen|bonjour|buenos días|早上好|buongiorno|おはようございます
good night|gute Nacht|bonne nuit|buenas noches|晚安|buonanotte|おやすみなさい
hello|hallo|bonjour|hola|你好|ciao|こんにちは
thank you|danke|merci|gracias|谢谢|grazie|ありがとう
please|bitte|s'il vous plaît|por favor|请|per favore|お願いします
goodbye|auf Wiedersehen|au revoir|adiós|再见|arrivederci|さようなら
yes|ja|oui|sí|是|sì|はい
no|nein|non|no|不|no|いいえ
i love you|ich liebe dich|je t'aime|te quiero|我爱你|ti amo|愛しています
cheers|prost|santé|salud|干杯|salute|乾杯
water|Wasser|eau|agua|水|acqua|水
friend|Freund|ami|amigo|朋友|amico|友達
cat|Katze|chat|gato|猫|gatto|猫
dog|Hund|chien|perro|狗|cane|犬
house|Haus|maison|casa|房子|casa|家
book|Buch|livre|libro|书|libro|本
welcome|willkommen|bienvenue|bienvenido|欢迎|benvenuto|ようこそ"""

# The names of these languages, in the same order, in each language of the demo.
_NAMES = {
    "en": "English|German|French|Spanish|Chinese|Italian|Japanese",
    "de": "Englisch|Deutsch|Französisch|Spanisch|Chinesisch|Italienisch|Japanisch",
    "fr": "anglais|allemand|français|espagnol|chinois|italien|japonais",
    "es": "inglés|alemán|francés|español|chino|italiano|japonés",
    "zh": "英语|德语|法语|西班牙语|中文|意大利语|日语",
}
_SPEAKING = {"en": 0, "de": 1, "fr": 2, "es": 3, "zh": 4}


def answer(plain: str, language: Language) -> str | None:
    """Return the translation that a text in lower case asks for; None if it asks for none."""
    names = _NAMES[language.code].split("|")
    into = next((n for n, name in enumerate(names) if name.lower() in plain), None)
    if into is None:
        return None
    own = _SPEAKING[language.code]
    for line in sorted(_WORDS.splitlines(), key=lambda row: -len(row.split("|")[own])):
        words = line.split("|")
        word = words[own].lower()
        bounds = "" if language.code == "zh" else r"(?<!\w){}(?!\w)"
        pattern = bounds.format(re.escape(word)) if bounds else re.escape(word)
        if into != own and re.search(pattern, plain):
            return language.phrases["translation"].format(
                word=words[own], translation=words[into], language=names[into]
            )
    return None
