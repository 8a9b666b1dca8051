"""Words of the trade in English, French and German, and the canonical English word for each.

Keys are folded (lower case, no accents). The lists are what normalise/ looks words up in; nothing
here decides anything.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# `wei` is what is left of `weiß` where a feed has lost its letters.
COLOURS = {
    "black": "black schwarz schwarzer schwarze schwarzes noir noire noirs noires onyx graphit "
    "obsidian midnight mitternacht minuit jet anthracite anthrazit nero nera neri nere negro negra "
    "negros preto preta zwart zwarte czarny czarna czarne svart svarta cerna cerny cerne fekete "
    "negru neagra musta siyah",
    "white": "white weiss weisser weisse weisses blanc blanche blancs blanches ivory polarweiss "
    "creme cream starlight polarstern bianco bianca bianchi bianche blanco blanca branco branca "
    "wit witte wei bialy biala biale bily bile feher hvid hvit valkoinen beyaz",
    "silver": "silver silber silbern silberner argent argente argentee platinum edelstahl inox "
    "argento plata plateado prata zilver zilveren srebrny srebrna stribrna stribrny stribrne ezust "
    "solv argintiu hopea gumus",
    "grey": "grey gray grau grauer graue graues gris grise graphite slate titanium titan "
    "spacegrau grigio grigia cinza grijs szary szara sedy szurke cinzento harmaa",
    "blue": "blue blau blauer blaue blaues bleu bleue bleus navy marine indigo sapphire turquoise "
    "turkis cyan aqua teal blu azzurro azul blauw blauwe niebieski niebieska granatowy modra "
    "modry modre kek celeste albastru sininen mavi",
    "red": "red rot roter rote rotes rouge rouges burgundy bordeaux crimson rosso rossa rosso "
    "rojo roja vermelho vermelha rood czerwony czerwona cervena cerveny cervene piros rosu "
    "punainen kirmizi",
    "green": "green grun gruner grune grunes vert verte olive oliv mint menthe emerald verde groen "
    "groene zielony zielona zelena zeleny zelene zold groen gron vihrea yesil",
    "gold": "gold golden goldener dore doree champagne bronze copper kupfer cuivre oro dorado "
    "dorada dourado goud gouden zloty zlota zlate zlata zlaty arany auriu guld kulta",
    "pink": "pink rosa rose coral koralle corail roze rosado rozowy rozowa ruzova ruzovy "
    "ruzove roz",
    "beige": "beige sand sable taupe",
    "orange": "orange arancione arancio naranja laranja oranje pomaranczowy oranzova "
    "oranzovy oranzove",
    "purple": "purple violet violett violette lila lavender lavande lavendel mauve flieder viola "
    "morado morada roxo paars fioletowy fialova fialovy fialove violeta lilla",
    "brown": "brown braun brauner braune braunes marron brun brune walnut nussbaum noyer marrone "
    "castano castanho bruin bruine brazowy hneda hnedy hnede barna maro ruskea kahverengi",
    "yellow": "yellow gelb gelber gelbe gelbes jaune giallo gialla amarillo amarilla amarelo geel "
    "gele zolty zluta zluty zlute sarga galben gul keltainen",
}

COLOUR_OF = {word: colour for colour, words in COLOURS.items() for word in words.split()}

# Words that name a colour only beside nothing better ("rose gold", "jet black", "space grey").
WEAK_COLOURS = _words(
    "aqua argent blu bordeaux bronze champagne copper coral cream creme edelstahl emerald graphite "
    "inox ivory jet marine marron menthe midnight mint minuit mitternacht obsidian olive onyx "
    "orange platinum polarstern rose sable sand sapphire slate starlight teal titan titanium viola "
    "walnut"
)

ATTRIBUTE_KEYS = {
    "colour": "color colour couleur farbe coloris barva kleur colore cor kolor farg",
    "capacity": "capacity capacite speicherkapazitat speicher storage stockage kapazitat "
    "storage_capacity speicherplatz internal_memory speichergrosse storage_gb capacite_de_stockage "
    "capacidad capacita capaciteit pojemnosc capacidade",
    "memory": "ram memory arbeitsspeicher memoire_vive memoire ram_gb",
    "size": "size taille grosse groesse velikost pointure schuhgrosse maat taglia talla "
    "rozmiar tamanho storlek",
    "power": "power puissance leistung wattage",
    "screen_size": "screen_size display_size bildschirmdiagonale taille_d_ecran diagonale "
    "bildschirmgrosse screen display taille_ecran diagonale_d_ecran screen_inch zoll",
    "energy_class": "energy_class energy_efficiency_class energieeffizienzklasse "
    "classe_energetique energy_label classe_d_efficacite_energetique energielabel",
    "pack_count": "pack_count multipack pack_size stuckzahl packungsgrosse contenu_du_lot lot",
    "material": "material materiau matiere matiere_principale",
    "volume": "volume nutzinhalt volume_utile fassungsvermogen contenance inhalt",
    "weight": "weight poids gewicht",
    "keyboard": "keyboard clavier tastatur keyboard_layout tastaturlayout",
    "audience": "audience gender genre geschlecht sexe age_group altersgruppe tranche_d_age "
    "zielgruppe",
    "lens_range": "lens_range",
    "batteries_included": "batteries_included",
    "tyre_index": "tyre_index load_speed_index",
    "scent": "scent concentration duftkonzentration",
    "sim_cards": "sim_cards sim_slots nombre_de_sim anzahl_sim_karten",
    "place_settings": "place_settings couverts nombre_de_couverts massgedecke anzahl_massgedecke",
}

KEY_OF = {word: key for key, words in ATTRIBUTE_KEYS.items() for word in words.split()}

# What merchants add to a title to sell it; the golden record prefers titles without.
SALES_WORDS = _words(
    "top angebot aktion sale promo promotion soldes offre exclusif exklusiv neu neuf nouveau new "
    "ovp sofort lieferbar versandkostenfrei livraison gratuite blitzversand bestpreis bestseller "
    "garantie warranty"
)

CONDITIONS = {
    "new": "new neu neuf neuve nouveau neuware newcondition novy nuevo nuovo nieuw brandnew "
    "neuwertig_nein nib",
    "refurbished": "refurbished refurbishedcondition reconditionne reconditionnee generaluberholt "
    "generalueberholt renewed aufbereitet remanufactured wiederaufbereitet certifiedrefurbished "
    "refurb erneuert reacondicionado recondicionado ricondizionato gereviseerd odnowiony "
    "repasovany",
    "used": "used usedcondition gebraucht occasion doccasion usagee usage secondhand openbox "
    "damagedcondition damaged b-ware bware pouzite usado usato tweedehands "
    "gebruikt uzywany uzywane begagnad segundamano",
}

CONDITION_OF = {word: name for name, words in CONDITIONS.items() for word in words.split()}

# Whole words in a title that outweigh a stated "new".
TITLE_CONDITIONS = {
    "refurbished": "refurbished",
    "refurb": "refurbished",
    "renewed": "refurbished",
    "reconditionne": "refurbished",
    "reconditionnee": "refurbished",
    "generaluberholt": "refurbished",
    "generalueberholt": "refurbished",
    "reacondicionado": "refurbished",
    "recondicionado": "refurbished",
    "ricondizionato": "refurbished",
    "odnowiony": "refurbished",
    "gebraucht": "used",
    "occasion": "used",
    "preowned": "used",
    "tweedehands": "used",
    "usado": "used",
    "usato": "used",
    "uzywany": "used",
    "begagnad": "used",
}

AVAILABILITIES = {
    "in_stock": "instock available 1 yes true y ja oui lager auflager enstock disponible "
    "verfugbar lieferbar sofortlieferbar sofortverfugbar skladem naskladem limitedavailability "
    "onlineonly vorratig availableimmediately instoreandonline readytoship enreserve "
    "immediatelyavailable",
    "backorder": "backorder backordered availablefororder onorder madetoorder surcommande "
    "aufbestellung nachbestellt bestellbar special_order specialorder",
    "preorder": "preorder presale precommande vorbestellung vorbestellbar comingsoon",
    "out_of_stock": "outofstock outstock soldout discontinued unavailable 0 no false n nein non "
    "ausverkauft nichtverfugbar nichtlieferbar nichtauflager epuise indisponible rupture "
    "rupturedestock enrupture enrupturedestock nedostupne notavailable vyprodano nostock",
}

AVAILABILITY_OF = {word: name for name, words in AVAILABILITIES.items() for word in words.split()}

NO_MANUFACTURER = _words(
    "autre divers diverse generic inconnu markenlos na nan nobrand noname none null oem ohne "
    "other sansmarque sonstige unbekannt unbranded unknown"
)

LEGAL_FORMS = _words(
    "ab ag as bv co company corp corporation gmbh group inc incorporated kg limited llc ltd nv "
    "oy plc sa sarl sas spa srl"
)

# A word before another product's name that makes this one an accessory for it.
ACCESSORY_FOR = _words(
    "compatible compatibles ersatz for fur kompatibel passend pour remplacement replacement"
)

# Accessories when such a word follows.
ACCESSORIES = _words(
    "adaptateur adapter akku armband bag batterie battery bracelet cable case charger chargeur "
    "coque cover ersatzfilter etui fernbedienung filter filtre folie halterung handyhulle "
    "housse hulle kabel ladegerat ladekabel mount panzerglas protector remote sacoche "
    "schutzfolie schutzhulle skin sleeve stand strap stylus support tasche telecommande verre"
)

# Parts and protection that name the thing they are for without a preposition: `Velora GA-21 strap`.
PARTS = _words(
    "abdeckung armband belt blade bonnette charbon chargeur deckel ersatzteil garage grillkorb "
    "halterung haube hood housse hulle klinge klinkenkabel ladegerat lame messer nadel "
    "ohrpolster ohrpads pochette sacoche schutzfolie schutzgehause schutzglas schutzhulle skin "
    "standfuss standerfuss stativ strap stylus tasche trageriemen wechselakku wandhalterung"
)

# What most things of a kind do without, and what they say of it elsewhere.
USUALLY_WITHOUT = _words(
    "akku akkus arome batterie batteries beutel bag blei bpa cable contract couture fil fils filo "
    "hilos kabel kabels monture odeur parfum parfums plomb sac sacco schnur sim simlock sucre "
    "sucres usure vertrag wire wires zucker zusatz"
)

# What stands in for another maker's, or for what is worn.
REPLACEMENTS = _words("rechange recambio remplacement replacement ricambio zamiennik")

# What parts and other makers' goods say of themselves.
SPARES = REPLACEMENTS | _words(
    "compatibile compatibili compatible compatibles compatibel ersatz ersatzteil kompatibel "
    "kompatibilni kompatybilny kompatybilna passend refill remanufactured remanufacturee reserve "
    "spare vervanging"
)

# Accessories wherever they lead.
CERTAIN_ACCESSORIES = _words(
    "coque coques hulle schutzhulle handyhulle handyhullen panzerglas schutzfolie displayschutz "
    "screenprotector"
)

# Words that say nothing about a product.
STOP_WORDS = _words(
    "a am an and at auf avec by das de der des die du ein eine en et for from fur im in la le "
    "les mit neu neuf new of ohne on pour sans the to un und une von with zum zur"
)

# Words that set a model apart from its sister: unequal on both sides means another product.
MODEL_WORDS = _words(
    "active air classic compact edge elite essential flip fold go junior kids lite max mini neo "
    "note play plus power premium prime pro se sport super ti ultra xl xr xs zoom"
)
