"""The capitals that `quillium-demo` knows, with their names in its languages."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from assistant.demo_language import Language

# Country and capital, each in English, German, French, Spanish and Chinese; other names after `/`.
# A capital without a separator has the same name in all languages but Chinese.
_TABLE = """\
Afghanistan|Afghanistan|Afghanistan|Afganistán|阿富汗: Kabul|Kabul|Kaboul|Kabul|喀布尔
Albania|Albanien|Albanie|Albania|阿尔巴尼亚: Tirana|地拉那
Algeria|Algerien|Algérie|Argelia|阿尔及利亚: Algiers|Algier|Alger|Argel|阿尔及尔
Andorra|Andorra|Andorre|Andorra|安道尔: Andorra la Vella|Andorra la Vella|Andorre-la-Vieille|Andorra la Vieja|安道尔城
Angola|Angola|Angola|Angola|安哥拉: Luanda|罗安达
Argentina|Argentinien|Argentine|Argentina|阿根廷: Buenos Aires|布宜诺斯艾利斯
Armenia|Armenien|Arménie|Armenia|亚美尼亚: Yerevan|Jerewan|Erevan|Ereván|埃里温
Australia|Australien|Australie|Australia|澳大利亚/澳洲: Canberra|堪培拉
Austria|Österreich|Autriche|Austria|奥地利: Vienna|Wien|Vienne|Viena|维也纳
Azerbaijan|Aserbaidschan|Azerbaïdjan|Azerbaiyán|阿塞拜疆: Baku|Baku|Bakou|Bakú|巴库
Bangladesh|Bangladesch|Bangladesh|Bangladés/Bangladesh|孟加拉国/孟加拉: Dhaka|Dhaka|Dacca|Daca|达卡
Belarus|Belarus/Weißrussland|Biélorussie|Bielorrusia|白俄罗斯: Minsk|明斯克
Belgium|Belgien|Belgique|Bélgica|比利时: Brussels|Brüssel|Bruxelles|Bruselas|布鲁塞尔
Bolivia|Bolivien|Bolivie|Bolivia|玻利维亚: Sucre|苏克雷
Bosnia and Herzegovina/Bosnia|Bosnien und Herzegowina/Bosnien|Bosnie-Herzégovine/Bosnie|Bosnia y Herzegovina/Bosnia|波黑/波斯尼亚: Sarajevo|萨拉热窝
Brazil|Brasilien|Brésil|Brasil|巴西: Brasília|Brasília|Brasilia|Brasilia|巴西利亚
Bulgaria|Bulgarien|Bulgarie|Bulgaria|保加利亚: Sofia|Sofia|Sofia|Sofía|索非亚
Cambodia|Kambodscha|Cambodge|Camboya|柬埔寨: Phnom Penh|金边
Cameroon|Kamerun|Cameroun|Camerún|喀麦隆: Yaoundé|雅温得
Canada|Kanada|Canada|Canadá|加拿大: Ottawa|渥太华
Chile|Chile|Chili|Chile|智利: Santiago|圣地亚哥
China|China|Chine|China|中国: Beijing|Peking|Pékin|Pekín|北京
Colombia|Kolumbien|Colombie|Colombia|哥伦比亚: Bogotá|波哥大
Costa Rica|Costa Rica|Costa Rica|Costa Rica|哥斯达黎加: San José|圣何塞
Croatia|Kroatien|Croatie|Croacia|克罗地亚: Zagreb|萨格勒布
Cuba|Kuba|Cuba|Cuba|古巴: Havana|Havanna|La Havane|La Habana|哈瓦那
Cyprus|Zypern|Chypre|Chipre|塞浦路斯: Nicosia|Nikosia|Nicosie|Nicosia|尼科西亚
the Czech Republic/Czechia|Tschechien|République tchèque/Tchéquie|República Checa/Chequia|捷克: Prague|Prag|Prague|Praga|布拉格
Denmark|Dänemark|Danemark|Dinamarca|丹麦: Copenhagen|Kopenhagen|Copenhague|Copenhague|哥本哈根
Ecuador|Ecuador|Équateur|Ecuador|厄瓜多尔: Quito|基多
Egypt|Ägypten|Égypte|Egipto|埃及: Cairo|Kairo|Le Caire|El Cairo|开罗
Estonia|Estland|Estonie|Estonia|爱沙尼亚: Tallinn|塔林
Ethiopia|Äthiopien|Éthiopie|Etiopía|埃塞俄比亚: Addis Ababa|Addis Abeba|Addis-Abeba|Adís Abeba|亚的斯亚贝巴
Finland|Finnland|Finlande|Finlandia|芬兰: Helsinki|赫尔辛基
France|Frankreich|France|Francia|法国: Paris|Paris|Paris|París|巴黎
Georgia|Georgien|Géorgie|Georgia|格鲁吉亚: Tbilisi|Tiflis|Tbilissi|Tiflis|第比利斯
Germany|Deutschland|Allemagne|Alemania|德国: Berlin|Berlin|Berlin|Berlín|柏林
Ghana|Ghana|Ghana|Ghana|加纳: Accra|阿克拉
Greece|Griechenland|Grèce|Grecia|希腊: Athens|Athen|Athènes|Atenas|雅典
Guatemala|Guatemala|Guatemala|Guatemala|危地马拉: Guatemala City|Guatemala-Stadt|Guatemala|Ciudad de Guatemala|危地马拉城
Honduras|Honduras|Honduras|Honduras|洪都拉斯: Tegucigalpa|特古西加尔巴
Hungary|Ungarn|Hongrie|Hungría|匈牙利: Budapest|布达佩斯
Iceland|Island|Islande|Islandia|冰岛: Reykjavík|雷克雅未克
India|Indien|Inde|India|印度: New Delhi|Neu-Delhi|New Delhi|Nueva Delhi|新德里
Indonesia|Indonesien|Indonésie|Indonesia|印度尼西亚/印尼: Jakarta|雅加达
Iran|Iran|Iran|Irán|伊朗: Tehran|Teheran|Téhéran|Teherán|德黑兰
Iraq|Irak|Irak|Irak|伊拉克: Baghdad|Bagdad|Bagdad|Bagdad|巴格达
Ireland|Irland|Irlande|Irlanda|爱尔兰: Dublin|Dublin|Dublin|Dublín|都柏林
Italy|Italien|Italie|Italia|意大利: Rome|Rom|Rome|Roma|罗马
Jamaica|Jamaika|Jamaïque|Jamaica|牙买加: Kingston|金斯敦
Japan|Japan|Japon|Japón|日本: Tokyo|Tokio|Tokyo|Tokio|东京
Jordan|Jordanien|Jordanie|Jordania|约旦: Amman|Amman|Amman|Amán|安曼
Kazakhstan|Kasachstan|Kazakhstan|Kazajistán|哈萨克斯坦: Astana|Astana|Astana|Astaná|阿斯塔纳
Kenya|Kenia|Kenya|Kenia|肯尼亚: Nairobi|内罗毕
Kuwait|Kuwait|Koweït|Kuwait|科威特: Kuwait City|Kuwait-Stadt|Koweït|Kuwait|科威特城
Latvia|Lettland|Lettonie|Letonia|拉脱维亚: Riga|里加
Lebanon|Libanon|Liban|Líbano|黎巴嫩: Beirut|Beirut|Beyrouth|Beirut|贝鲁特
Libya|Libyen|Libye|Libia|利比亚: Tripoli|Tripolis|Tripoli|Trípoli|的黎波里
Liechtenstein|Liechtenstein|Liechtenstein|Liechtenstein|列支敦士登: Vaduz|瓦杜兹
Lithuania|Litauen|Lituanie|Lituania|立陶宛: Vilnius|维尔纽斯
Luxembourg|Luxemburg|Luxembourg|Luxemburgo|卢森堡: Luxembourg|Luxemburg|Luxembourg|Luxemburgo|卢森堡市
Madagascar|Madagaskar|Madagascar|Madagascar|马达加斯加: Antananarivo|塔那那利佛
Malaysia|Malaysia|Malaisie|Malasia|马来西亚: Kuala Lumpur|吉隆坡
Malta|Malta|Malte|Malta|马耳他: Valletta|Valletta|La Valette|La Valeta|瓦莱塔
Mexico|Mexiko|Mexique|México|墨西哥: Mexico City|Mexiko-Stadt|Mexico|Ciudad de México|墨西哥城
Moldova|Moldau/Moldawien|Moldavie|Moldavia|摩尔多瓦: Chișinău|基希讷乌
Monaco|Monaco|Monaco|Mónaco|摩纳哥: Monaco|Monaco|Monaco|Mónaco|摩纳哥
Mongolia|Mongolei|Mongolie|Mongolia|蒙古: Ulaanbaatar|Ulaanbaatar|Oulan-Bator|Ulán Bator|乌兰巴托
Montenegro|Montenegro|Monténégro|Montenegro|黑山: Podgorica|波德戈里察
Morocco|Marokko|Maroc|Marruecos|摩洛哥: Rabat|拉巴特
Mozambique|Mosambik|Mozambique|Mozambique|莫桑比克: Maputo|马普托
Myanmar/Burma|Myanmar/Birma|Birmanie/Myanmar|Birmania/Myanmar|缅甸: Naypyidaw|内比都
Namibia|Namibia|Namibie|Namibia|纳米比亚: Windhoek|温得和克
Nepal|Nepal|Népal|Nepal|尼泊尔: Kathmandu|Kathmandu|Katmandou|Katmandú|加德满都
the Netherlands/Holland|Niederlande/Niederlanden/Holland|Pays-Bas/Hollande|Países Bajos/Holanda|荷兰: Amsterdam|Amsterdam|Amsterdam|Ámsterdam|阿姆斯特丹
New Zealand|Neuseeland|Nouvelle-Zélande|Nueva Zelanda|新西兰: Wellington|惠灵顿
Nicaragua|Nicaragua|Nicaragua|Nicaragua|尼加拉瓜: Managua|马那瓜
Nigeria|Nigeria|Nigéria|Nigeria|尼日利亚: Abuja|Abuja|Abuja|Abuya|阿布贾
North Korea|Nordkorea|Corée du Nord|Corea del Norte|朝鲜: Pyongyang|Pjöngjang|Pyongyang|Pionyang|平壤
North Macedonia|Nordmazedonien|Macédoine du Nord|Macedonia del Norte|北马其顿: Skopje|斯科普里
Norway|Norwegen|Norvège|Noruega|挪威: Oslo|奥斯陆
Pakistan|Pakistan|Pakistan|Pakistán|巴基斯坦: Islamabad|伊斯兰堡
Panama|Panama|Panama|Panamá|巴拿马: Panama City|Panama-Stadt|Panama|Ciudad de Panamá|巴拿马城
Paraguay|Paraguay|Paraguay|Paraguay|巴拉圭: Asunción|亚松森
Peru|Peru|Pérou|Perú|秘鲁: Lima|利马
the Philippines|Philippinen|Philippines|Filipinas|菲律宾: Manila|Manila|Manille|Manila|马尼拉
Poland|Polen|Pologne|Polonia|波兰: Warsaw|Warschau|Varsovie|Varsovia|华沙
Portugal|Portugal|Portugal|Portugal|葡萄牙: Lisbon|Lissabon|Lisbonne|Lisboa|里斯本
Qatar|Katar|Qatar|Catar/Qatar|卡塔尔: Doha|多哈
Romania|Rumänien|Roumanie|Rumanía/Rumania|罗马尼亚: Bucharest|Bukarest|Bucarest|Bucarest|布加勒斯特
Russia|Russland|Russie|Rusia|俄罗斯: Moscow|Moskau|Moscou|Moscú|莫斯科
Saudi Arabia|Saudi-Arabien|Arabie saoudite|Arabia Saudita|沙特阿拉伯/沙特: Riyadh|Riad|Riyad|Riad|利雅得
Senegal|Senegal|Sénégal|Senegal|塞内加尔: Dakar|达喀尔
Serbia|Serbien|Serbie|Serbia|塞尔维亚: Belgrade|Belgrad|Belgrade|Belgrado|贝尔格莱德
Singapore|Singapur|Singapour|Singapur|新加坡: Singapore|Singapur|Singapour|Singapur|新加坡
Slovakia|Slowakei|Slovaquie|Eslovaquia|斯洛伐克: Bratislava|布拉迪斯拉发
Slovenia|Slowenien|Slovénie|Eslovenia|斯洛文尼亚: Ljubljana|Ljubljana|Ljubljana|Liubliana|卢布尔雅那
South Africa|Südafrika|Afrique du Sud|Sudáfrica|南非: Pretoria|比勒陀利亚
South Korea|Südkorea|Corée du Sud|Corea del Sur|韩国: Seoul|Seoul|Séoul|Seúl|首尔
Spain|Spanien|Espagne|España|西班牙: Madrid|马德里
Sri Lanka|Sri Lanka|Sri Lanka|Sri Lanka|斯里兰卡: Sri Jayawardenepura Kotte|科特
Sweden|Schweden|Suède|Suecia|瑞典: Stockholm|Stockholm|Stockholm|Estocolmo|斯德哥尔摩
Switzerland|Schweiz|Suisse|Suiza|瑞士: Bern|Bern|Berne|Berna|伯尔尼
Syria|Syrien|Syrie|Siria|叙利亚: Damascus|Damaskus|Damas|Damasco|大马士革
Taiwan|Taiwan|Taïwan|Taiwán|台湾: Taipei|Taipeh|Taipei|Taipéi|台北
Tanzania|Tansania|Tanzanie|Tanzania|坦桑尼亚: Dodoma|多多马
Thailand|Thailand|Thaïlande|Tailandia|泰国: Bangkok|曼谷
Tunisia|Tunesien|Tunisie|Túnez|突尼斯: Tunis|Tunis|Tunis|Túnez|突尼斯市
Turkey/Türkiye|Türkei|Turquie|Turquía|土耳其: Ankara|安卡拉
Uganda|Uganda|Ouganda|Uganda|乌干达: Kampala|坎帕拉
Ukraine|Ukraine|Ukraine|Ucrania|乌克兰: Kyiv|Kyjiw|Kiev|Kiev|基辅
the United Arab Emirates|Vereinigte Arabische Emirate|Émirats arabes unis|Emiratos Árabes Unidos|阿联酋: Abu Dhabi|Abu Dhabi|Abou Dabi|Abu Dabi|阿布扎比
the United Kingdom/Great Britain/Britain/England/UK|Vereinigtes Königreich/Großbritannien/England|Royaume-Uni/Grande-Bretagne/Angleterre|Reino Unido/Gran Bretaña/Inglaterra|英国: London|London|Londres|Londres|伦敦
the United States/USA/America|USA/Vereinigte Staaten/Amerika|États-Unis/USA|Estados Unidos/EE. UU.|美国: Washington, D.C.|华盛顿
Uruguay|Uruguay|Uruguay|Uruguay|乌拉圭: Montevideo|蒙得维的亚
Uzbekistan|Usbekistan|Ouzbékistan|Uzbekistán|乌兹别克斯坦: Tashkent|Taschkent|Tachkent|Taskent|塔什干
Venezuela|Venezuela|Venezuela|Venezuela|委内瑞拉: Caracas|加拉加斯
Vietnam|Vietnam|Viêt Nam/Vietnam|Vietnam|越南: Hanoi|Hanoi|Hanoï|Hanói|河内
Zambia|Sambia|Zambie|Zambia|赞比亚: Lusaka|卢萨卡
Zimbabwe|Simbabwe|Zimbabwe|Zimbabue|津巴布韦: Harare|哈拉雷"""

_LANGUAGES = ("en", "de", "fr", "es", "zh")
_FOLLOW_UP_CHARACTERS = 40  # of a message such as “And of Spain?”
_TABLE_WORDS = re.compile(r"\btable\b|\btabelle\b|\btableau\b|\btabla\b|\blista?\b|表格|列表")
_TABLE_ROWS = ("France", "Germany", "Spain", "Italy", "Portugal", "the Netherlands", "Poland", "Sweden",
               "Greece", "Austria")  # fmt: skip


class Country(NamedTuple):
    name: str
    capital: str


def answer(plain: str, before: str, language: Language) -> str | None:
    """Return the capital that a text asks for; None if it asks for none.

    `before` is the message before it, after which “And of Spain?” is enough.
    """
    asks = language.capital.search(plain) is not None
    is_follow_up = (
        len(plain) < _FOLLOW_UP_CHARACTERS and language.capital.search(before) is not None
    )
    if not asks and not is_follow_up:
        return None
    phrases = language.phrases
    if asks and _TABLE_WORDS.search(plain):
        rows = (f"| {country.name} | {country.capital} |" for country in _chosen(language.code))
        head = f"| {phrases['country']} | {phrases['capital_word']} |\n|:---|:---|\n"
        return head + "\n".join(rows)
    named = _named_in(plain, language.code)
    if named:
        return "\n\n".join(
            phrases["capital"].format(country=country.name, capital=country.capital)
            for country in named
        )
    if not asks:
        return None
    is_named = len(plain.split()) > 3 or (language.code == "zh" and len(plain) > 5)
    return phrases["unknown_country" if is_named else "which_country"].format(
        count=len(countries(language.code))
    )


@functools.cache
def countries(code: str) -> tuple[Country, ...]:
    """Return the countries in a language, given by its code."""
    return tuple(country for country, _ in _entries(code))


def _named_in(plain: str, code: str) -> list[Country]:
    """Return the countries that a text in lower case names, in its order."""
    pattern, found = _index(code)
    return list(dict.fromkeys(found[match[0]] for match in pattern.finditer(plain)))


def _chosen(code: str) -> list[Country]:
    return [
        country
        for country, english in zip(countries(code), countries("en"), strict=True)
        if english.name in _TABLE_ROWS
    ]


@functools.cache
def _index(code: str) -> tuple[re.Pattern[str], dict[str, Country]]:
    """Return a pattern of all names, and the country of each."""
    found = {
        name.removeprefix("the ").lower(): country
        for country, names in _entries(code)
        for name in names
    }
    longest_first = sorted(found, key=len, reverse=True)  # 印度尼西亚 is not 印度
    alternatives = "|".join(
        re.escape(name) if code == "zh" else rf"(?<!\w){re.escape(name)}(?!\w)"
        for name in longest_first
    )
    return re.compile(alternatives), found


def _entries(code: str) -> list[tuple[Country, list[str]]]:
    """Return each country with all of its names."""
    return [_parsed(line, _LANGUAGES.index(code)) for line in _TABLE.splitlines()]


def _parsed(line: str, index: int) -> tuple[Country, list[str]]:
    country, _, capital = line.partition(": ")
    capitals = capital.split("|")
    if len(capitals) == 2:
        capitals = [capitals[0]] * 4 + capitals[1:]
    names = country.split("|")[index].split("/")
    return Country(names[0], capitals[index]), names
