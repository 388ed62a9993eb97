"""What the demo's pictures, clips and sounds say, in four languages. Every name is made up."""

from __future__ import annotations

from typing import Any

LANGUAGES = ("en", "zh", "es", "ru")

# For each story and language: the sample's text with its mentions, and the words on the picture.
PRODUCT: dict[str, dict[str, Any]] = {
    "en": {
        "text": "Halden Instruments presented a new air sensor on Tuesday. The data sheet gives its name and where it was shown.",
        "trigger": "presented", "agent": "Halden Instruments", "time": "on Tuesday",
        "name": "Noria 2", "what": "Air quality sensor", "shown": "Presented in Oslo, hall 4", "place": "Oslo",
        "facts": [("Measures", "CO2, dust, humidity"), ("Battery", "3 years"), ("Weight", "120 g")],
        "head": "DATA SHEET", "unit": "good",
    },
    "zh": {
        "text": "哈尔登仪器周二发布了一款新的空气传感器。产品单页写明了它的名称和展示地点。",
        "trigger": "发布", "agent": "哈尔登仪器", "time": "周二",
        "name": "诺里亚 2", "what": "空气质量传感器", "shown": "展示于奥斯陆 4 号馆", "place": "奥斯陆",
        "facts": [("测量", "二氧化碳、粉尘、湿度"), ("电池", "3 年"), ("重量", "120 克")],
        "head": "产品单页", "unit": "良好",
    },
    "es": {
        "text": "Halden Instruments presentó el martes un nuevo sensor de aire. La ficha indica su nombre y dónde se mostró.",
        "trigger": "presentó", "agent": "Halden Instruments", "time": "el martes",
        "name": "Noria 2", "what": "Sensor de calidad del aire", "shown": "Presentado en Oslo, pabellón 4", "place": "Oslo",
        "facts": [("Mide", "CO2, polvo, humedad"), ("Batería", "3 años"), ("Peso", "120 g")],
        "head": "FICHA TÉCNICA", "unit": "bueno",
    },
    "ru": {
        "text": "Компания «Халден» представила во вторник новый датчик воздуха. В листовке указаны его название и место показа.",
        "trigger": "представила", "agent": "«Халден»", "time": "во вторник",
        "name": "Нория 2", "what": "Датчик качества воздуха", "shown": "Показан в Осло, зал 4", "place": "Осло",
        "facts": [("Измеряет", "CO2, пыль, влажность"), ("Батарея", "3 года"), ("Вес", "120 г")],
        "head": "ЛИСТОВКА", "unit": "хорошо",
    },
}  # fmt: skip

INVESTMENT: dict[str, dict[str, Any]] = {
    "en": {
        "title": "Lumen Agro raises 48 million euros", "trigger": "raises", "recipient": "Lumen Agro", "amount": "48 million euros",
        "subtitle": "Money raised each year, in millions of euros", "who": "Investors in 2026", "investors": ["Norte Capital", "Sato Fund"],
    },
    "zh": {
        "title": "流明农业融资 4800 万欧元", "trigger": "融资", "recipient": "流明农业", "amount": "4800 万欧元",
        "subtitle": "每年融资额（百万欧元）", "who": "2026 年投资方", "investors": ["北方资本", "佐藤基金"],
    },
    "es": {
        "title": "Lumen Agro capta 48 millones de euros", "trigger": "capta", "recipient": "Lumen Agro", "amount": "48 millones de euros",
        "subtitle": "Dinero captado cada año, en millones de euros", "who": "Inversores en 2026", "investors": ["Norte Capital", "Fondo Sato"],
    },
    "ru": {
        "title": "«Люмен Агро» привлекает 48 млн евро", "trigger": "привлекает", "recipient": "«Люмен Агро»", "amount": "48 млн евро",
        "subtitle": "Привлечено за год, млн евро", "who": "Инвесторы 2026 года", "investors": ["«Норте Капитал»", "Фонд «Сато»"],
    },
}  # fmt: skip

ACQUISITION: dict[str, dict[str, Any]] = {
    "en": {
        "text": "The purchase was announced on Monday. The slide shows the two companies and the price.",
        "trigger": "purchase", "time": "on Monday", "title": "The deal at a glance", "buyer": "Buyer", "bought": "To be bought",
        "acquirer": "Orbita Maps", "target": "Fjord Sensors", "price": "€210 million", "staff": ["640 people", "95 people"],
    },
    "zh": {
        "text": "这笔收购于周一宣布。幻灯片列出了两家公司和价格。",
        "trigger": "收购", "time": "周一", "title": "交易一览", "buyer": "买方", "bought": "被收购方",
        "acquirer": "轨道地图", "target": "峡湾传感", "price": "2.1 亿欧元", "staff": ["640 名员工", "95 名员工"],
    },
    "es": {
        "text": "La compra se anunció el lunes. La diapositiva muestra las dos empresas y el precio.",
        "trigger": "compra", "time": "el lunes", "title": "La operación de un vistazo", "buyer": "Compradora", "bought": "Comprada",
        "acquirer": "Órbita Mapas", "target": "Fiordo Sensores", "price": "210 millones €", "staff": ["640 personas", "95 personas"],
    },
    "ru": {
        "text": "О покупке объявили в понедельник. На слайде показаны обе компании и цена.",
        "trigger": "покупке", "time": "в понедельник", "title": "Сделка на одном слайде", "buyer": "Покупатель", "bought": "Покупают",
        "acquirer": "Орбита Карты", "target": "Фьорд Сенсор", "price": "210 млн евро", "staff": ["640 человек", "95 человек"],
    },
}  # fmt: skip

TEST: dict[str, dict[str, Any]] = {
    "en": {
        "text": "Baltic Rail tried out its battery train near Gdansk in March. How far it ran on one charge is in the chart.",
        "trigger": "tried out", "agent": "Baltic Rail", "object": "battery train", "place": "Gdansk", "time": "in March",
        "title": "Range on one charge", "axis": "kilometres", "run": "Run {}", "result": "412 km",
    },
    "zh": {
        "text": "波罗的海铁路三月在格但斯克附近试跑了电池列车。一次充电能跑多远，见图表。",
        "trigger": "试跑", "agent": "波罗的海铁路", "object": "电池列车", "place": "格但斯克", "time": "三月",
        "title": "单次充电续航里程", "axis": "公里", "run": "第 {} 次", "result": "412 公里",
    },
    "es": {
        "text": "Baltic Rail probó en marzo su tren de baterías cerca de Gdansk. El gráfico muestra cuánto recorrió con una sola carga.",
        "trigger": "probó", "agent": "Baltic Rail", "object": "tren de baterías", "place": "Gdansk", "time": "en marzo",
        "title": "Autonomía con una sola carga", "axis": "kilómetros", "run": "Prueba {}", "result": "412 km",
    },
    "ru": {
        "text": "В марте компания «Балтрейл» испытала под Гданьском аккумуляторный поезд. Сколько он прошёл на одной зарядке, видно на графике.",
        "trigger": "испытала", "agent": "«Балтрейл»", "object": "аккумуляторный поезд", "place": "Гданьском", "time": "В марте",
        "title": "Пробег на одной зарядке", "axis": "километры", "run": "Рейс {}", "result": "412 км",
    },
}  # fmt: skip

CONSTRUCTION: dict[str, dict[str, Any]] = {
    "en": {
        "title": "Under construction: Riverside Library", "trigger": "Under construction", "facility": "Riverside Library",
        "lines": [("Site", "8 Lake Street", "place"), ("Builder", "Orlan Build", "builder"),
                  ("Cost", "32 million euros", "cost"), ("Opening", "spring 2027", "time")],
    },
    "zh": {
        "title": "正在施工：河滨图书馆", "trigger": "施工", "facility": "河滨图书馆",
        "lines": [("地址", "湖滨路 8 号", "place"), ("施工方", "奥尔兰建设", "builder"),
                  ("造价", "3200 万欧元", "cost"), ("开放", "2027 年春", "time")],
    },
    "es": {
        "title": "En construcción: Biblioteca Ribera", "trigger": "En construcción", "facility": "Biblioteca Ribera",
        "lines": [("Lugar", "calle del Lago, 8", "place"), ("Constructora", "Orlan Obras", "builder"),
                  ("Coste", "32 millones de euros", "cost"), ("Apertura", "primavera de 2027", "time")],
    },
    "ru": {
        "title": "Строится: библиотека «Речная»", "trigger": "Строится", "facility": "библиотека «Речная»",
        "lines": [("Адрес", "Озёрная ул., 8", "place"), ("Строит", "«Орлан Строй»", "builder"),
                  ("Стоимость", "32 млн евро", "cost"), ("Открытие", "весна 2027", "time")],
    },
}  # fmt: skip

OUTAGE: dict[str, dict[str, Any]] = {
    "en": {
        "text": "The tram network stopped on Sunday evening. The map shows in which district, and why.",
        "trigger": "stopped", "system": "tram network", "time": "on Sunday evening",
        "title": "Trams: where nothing runs", "cause": "Flooded tunnel", "runs": "running", "stands": "stopped",
        "districts": ["Old Town", "Hill", "Station", "Park", "Harbour", "Airport"],
    },
    "zh": {
        "text": "有轨电车网络周日晚间停运。地图标出了受影响的城区和原因。",
        "trigger": "停运", "system": "有轨电车网络", "time": "周日晚间",
        "title": "有轨电车停运示意图", "cause": "隧道进水", "runs": "运行", "stands": "停运",
        "districts": ["老城", "山丘", "车站", "公园", "港口", "机场"],
    },
    "es": {
        "text": "La red de tranvías se detuvo el domingo por la noche. El mapa muestra en qué barrio y por qué.",
        "trigger": "se detuvo", "system": "red de tranvías", "time": "el domingo por la noche",
        "title": "Tranvías: dónde no circulan", "cause": "Túnel inundado", "runs": "circula", "stands": "parado",
        "districts": ["Casco viejo", "Colina", "Estación", "Parque", "Puerto", "Aeropuerto"],
    },
    "ru": {
        "text": "Трамвайная сеть остановилась в воскресенье вечером. На карте видно, в каком районе и почему.",
        "trigger": "остановилась", "system": "Трамвайная сеть", "time": "в воскресенье вечером",
        "title": "Где не ходят трамваи", "cause": "Затоплен тоннель", "runs": "ходят", "stands": "стоят",
        "districts": ["Старый город", "Холм", "Вокзал", "Парк", "Порт", "Аэропорт"],
    },
}  # fmt: skip

LAUNCH: dict[str, dict[str, Any]] = {
    "en": {
        "text": "Selene Orbital sent a weather satellite into orbit on Friday. The drawing names the rocket and the launch site.",
        "trigger": "sent", "operator": "Selene Orbital", "payload": "weather satellite", "time": "on Friday",
        "title": "How the satellite got there", "rocket": "Heron 1", "site": "Andoya launch site", "satellite": "Weather satellite", "orbit": "500 km",
    },
    "zh": {
        "text": "塞勒涅轨道公司周五将一颗气象卫星送入轨道。示意图标明了火箭和发射场。",
        "trigger": "送入", "operator": "塞勒涅轨道公司", "payload": "气象卫星", "time": "周五",
        "title": "卫星如何入轨", "rocket": "苍鹭 1", "site": "安多亚发射场", "satellite": "气象卫星", "orbit": "500 公里",
    },
    "es": {
        "text": "Selene Orbital puso en órbita el viernes un satélite meteorológico. El dibujo indica el cohete y la base.",
        "trigger": "puso en órbita", "operator": "Selene Orbital", "payload": "satélite meteorológico", "time": "el viernes",
        "title": "Así llegó el satélite", "rocket": "Garza 1", "site": "Base de Andoya", "satellite": "Satélite meteorológico", "orbit": "500 km",
    },
    "ru": {
        "text": "«Селена» вывела в пятницу на орбиту метеоспутник. На схеме названы ракета и космодром.",
        "trigger": "вывела", "operator": "«Селена»", "payload": "метеоспутник", "time": "в пятницу",
        "title": "Как спутник попал на орбиту", "rocket": "Цапля-1", "site": "Космодром Андёйя", "satellite": "Метеоспутник", "orbit": "500 км",
    },
}  # fmt: skip

LIFTOFF: dict[str, dict[str, Any]] = {
    "en": {"text": "Selene Orbital's rocket lifts off from Andoya with two weather satellites.", "operator": "Selene Orbital",
           "site": "Andoya", "payload": "two weather satellites", "sign": "ANDOYA"},
    "zh": {"text": "塞勒涅轨道公司的火箭搭载两颗气象卫星从安多亚升空。", "operator": "塞勒涅轨道公司", "site": "安多亚",
           "payload": "两颗气象卫星", "sign": "安多亚"},
    "es": {"text": "El cohete de Selene Orbital despega de Andoya con dos satélites meteorológicos.", "operator": "Selene Orbital",
           "site": "Andoya", "payload": "dos satélites meteorológicos", "sign": "ANDOYA"},
    "ru": {"text": "Ракета «Селены» стартует с Андёйи с двумя метеоспутниками.", "operator": "«Селены»", "site": "Андёйи",
           "payload": "двумя метеоспутниками", "sign": "АНДЁЙЯ"},
}  # fmt: skip

ROBOT: dict[str, dict[str, Any]] = {
    "en": {"text": "Kestrel Works tests its delivery robot on the track in Lyon. The robot stops a metre before the ball.",
           "trigger": "tests", "agent": "Kestrel Works", "place": "Lyon", "sign": "KESTREL WORKS"},
    "zh": {"text": "红隼工坊在里昂的赛道上试验配送机器人。机器人在球前一米停下。",
           "trigger": "试验", "agent": "红隼工坊", "place": "里昂", "sign": "红隼工坊"},
    "es": {"text": "Kestrel Works prueba su robot de reparto en la pista de Lyon. El robot se para a un metro de la pelota.",
           "trigger": "prueba", "agent": "Kestrel Works", "place": "Lyon", "sign": "KESTREL WORKS"},
    "ru": {"text": "«Кестрел» испытывает робота-доставщика на треке в Лионе. Робот останавливается в метре от мяча.",
           "trigger": "испытывает", "agent": "«Кестрел»", "place": "Лионе", "sign": "КЕСТРЕЛ"},
}  # fmt: skip

# Spoken piece by piece, so that the time of each piece is known to the sample.
SPOKEN: dict[str, dict[str, Any]] = {
    "en": {"pieces": ["Good morning.", "Attackers broke into the booking system of Polar Ferries", "on Wednesday night", "with a stolen password.", "Two thousand tickets were lost."],
           "attacker": "Attackers", "trigger": "broke into", "victim": "Polar Ferries", "method": "a stolen password"},
    "zh": {"pieces": ["早上好。", "黑客入侵了极地渡轮的订票系统，", "时间是周三夜里，", "手段是一个被盗的密码。", "两千张船票丢失。"],
           # espeak-ng knows few characters, and reads pinyin well
        "read": [
            "zao3 shang5 hao3",
            "hei1 ke4 ru4 qin1 le5 ji2 di4 du4 lun2 de5 ding4 piao4 xi4 tong3",
            "shi2 jian1 shi4 zhou1 san1 ye4 li5",
            "shou3 duan4 shi4 yi2 ge4 bei4 dao4 de5 mi4 ma3",
            "liang3 qian1 zhang1 chuan2 piao4 diu1 shi1",
        ],
        "attacker": "黑客", "trigger": "入侵", "victim": "极地渡轮", "method": "一个被盗的密码"},
    "es": {"pieces": ["Buenos días.", "Unos piratas entraron en el sistema de reservas de Polar Ferries", "el miércoles por la noche", "con una contraseña robada.", "Se perdieron dos mil billetes."],
           "attacker": "Unos piratas", "trigger": "entraron", "victim": "Polar Ferries", "method": "una contraseña robada"},
    "ru": {"pieces": ["Доброе утро.", "Злоумышленники взломали систему бронирования «Полярных паромов»", "в ночь на среду", "с помощью украденного пароля.", "Пропали две тысячи билетов."],
           "attacker": "Злоумышленники", "trigger": "взломали", "victim": "«Полярных паромов»", "method": "украденного пароля"},
}  # fmt: skip
