"""Words of the trade in the languages of Europe, and the English one that stands for each.

What a thing is, for whom, of what and in which colour: with these in one language, titles of shops
in two are compared word by word. Words that mean something else in another language are left out.
"""

from __future__ import annotations

from mdm.normalise.text import folded
from mdm.normalise.vocabulary import COLOUR_OF

_KINDS = """
shoe: shoes schuh schuhe chaussure chaussures scarpa scarpe zapato zapatos zapatilla zapatillas
  schoen schoenen buty obuwie sapato sapatos skor boty obuv
boot: boots stiefel bottes botte bottines botas stivali laarzen kozaki
football: soccer fussball calcio futbol voetbal voetbalschoenen futebol fotboll
running: laufschuhe laufen course corsa hardlopen hardloop biegania lopning
watch: watches uhr uhren armbanduhr montre montres orologio orologi reloj relojes horloge horloges
  zegarek zegarki relogio relogios klocka hodinky
phone: telephone handy handys smartphone smartphones telefono telefoon telefon telefone mobiltelefon
  cellulare movil mobiltelefono komorkowy
television: tv fernseher televiseur televisor televisore televisie telewizor televisao televize
fridge: refrigerator kuhlschrank refrigerateur frigo frigorifero frigorifico nevera koelkast lodowka
  geladeira kylskap lednicka chladnicka
freezer: gefrierschrank congelateur congelatore congelador vriezer zamrazarka frys mraznicka
dishwasher: geschirrspuler spulmaschine lavavajillas lavastoviglie vaatwasser zmywarka diskmaskin
  mycka
washer: waschmaschine lavatrice lavadora wasmachine pralka tvattmaskin pracka
dryer: trockner waschetrockner asciugatrice secadora droger suszarka torktumlare susicka
oven: backofen forno horno piekarnik ugn trouba
microwave: mikrowelle microondas microonde magnetron mikrofalowa mikrovagsugn mikrovlnna
camera: kamera fotocamera camara aparat fotoaparat cameras kameras digitalkamera
lens: objektiv objectif obiettivo objetivo obiektyw lenses
computer: rechner ordinateur ordenador komputer computador dator pocitac
notebook: laptop laptops portatil portatile notebooks
printer: drucker imprimante stampante impresora drukarka impressora skrivare tiskarna
screen: bildschirm ecran schermo pantalla scherm ekran skarm obrazovka
headphones: kopfhorer casque cuffie auriculares koptelefoon sluchawki horlurar sluchatka
speaker: lautsprecher enceinte altoparlante altavoz luidspreker glosnik hogtalare reproduktor
keyboard: tastatur clavier tastiera teclado toetsenbord klawiatura tangentbord klavesnice
mouse: maus souris muis mysz mus
battery: akku batterie batteria bateria baterie batterij akumulator
charger: ladegerat chargeur caricabatterie cargador oplader ladowarka laddare nabijecka
cable: kabel cavo kabels
case: hulle schutzhulle coque funda custodia hoesje etui skal pouzdro
bag: tasche sac borsa bolso bolsa tas torba vaska taska
card: karte carte tarjeta scheda kaart karta cartao kort
memory: speicher memoire memoria geheugen pamieci pamet minne speicherkarte
stick: clef cle pendrive
drive: laufwerk festplatte disque disco dysk schijf harddisk
adapter: adaptateur adattatore adaptador
reader: leser lesegerat lecteur lettore lector lezer czytnik
player: spieler odtwarzacz reproductor
shirt: hemd chemise camicia camisa overhemd koszula skjorta kosile
trousers: pantalon pantaloni pantalones broek spodnie byxor kalhoty
jacket: jacke veste giacca chaqueta jas kurtka jacka bunda
dress: kleid vestido abito jurk sukienka klanning saty
table: tisch tavolo mesa tafel stol
chair: stuhl chaise sedia silla stoel krzeslo zidle
lamp: lampe leuchte lampada lampara
heatsink: kuhlkorper dissipateur dissipatore disipador
runflat: rft
"""

_PEOPLE = """
men: man mens herren herr manner homme hommes uomo uomini hombre hombres heren meski meskie meska
  mezczyzna homem homens herr panske panska pansky male
women: woman womens ladies lady damen frau frauen femme femmes donna donne mujer mujeres dames
  damski damskie damska mulher mulheres dam damske damska damsky female senora
kids: kid kinder kind enfant enfants bambino bambini bambina nino ninos ninas kinderen dzieciece
  dziecieca dzieciecy dzieci crianca barn detske detska
junior: youth youths juniors jugend
boys: boy jungen garcon garcons ragazzo chlopiece chlopiecy jongens
girls: girl madchen fille filles ragazza dziewczece meisjes
"""

_QUALITIES = """
wireless: kabellos drahtlos schnurlos inalambrico draadloos bezprzewodowy bezprzewodowa tradlos
  bezdratova bezdratovy
automatic: automatik automatique automatico automatica automatisch automatyczny automat
mechanical: mechanisch mecanique meccanico mecanico mechaniczny
quartz: quarz cuarzo quarzo kwarcowy
leather: leder cuir pelle cuero piel leer skora skorzany couro lader kuze
steel: stahl acier acciaio acero staal stal stalowy aco ocel
stainless: edelstahl inox inossidabile inoxidable roestvrij nierdzewna rostfri nerez
wood: holz bois legno madera hout drewno drewniany madeira drevo
glass: glas verre vetro vidrio szklo vidro sklo
cotton: baumwolle coton cotone algodon katoen bawelna
rubber: gummi caoutchouc gomma goma guma
freestanding: freistehend freistehende posable independiente vrijstaand wolnostojaca
integrated: einbau encastrable incasso integrable inbouw
large: gross grosse grosser grand grande groot duzy duza stor velky
small: klein kleine petit petite piccolo piccola pequeno maly mala liten
new: neu neuf neuve nuovo nuova nuevo nueva nieuw nieuwe nowy nowa novo nova novy
original: originale oryginalny originele
classic: klassisch classique classico clasico klassiek
"""


def _english_of(*lists: str) -> dict[str, str]:
    """By folded word; the first list that has a word decides."""
    found: dict[str, str] = {}
    for entry in "\n".join(lists).replace("\n  ", " ").split("\n"):
        english, _, words = entry.partition(":")
        for word in words.split():
            found.setdefault(folded(word), english)
    return found


ENGLISH_OF = {
    **_english_of(_KINDS, _PEOPLE, _QUALITIES),
    **{word: english for word, english in COLOUR_OF.items() if word != english},
}
