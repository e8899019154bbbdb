"""Headers in German, French, Spanish, Portuguese, Italian, Dutch and Russian, told in English words."""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = (
    # What databases abbreviate.
    ("date", "dt"),
    ("time", "tm"),
    ("timestamp", "ts|tms"),
    ("agent", "agt"),
    ("customer", "cust"),
    ("duration", "dur"),
    ("name", "nm"),
    ("abandoned", "abn|abnd|aband"),
    # What would be taken apart by single words comes first.
    (
        "number of calls",
        (
            r"(anzahl( der)?|nombre d|numero de|numero|numero di|aantal|количество) "
            r"(anrufe|gesprache|appels|llamadas|chamadas|chiamate|gesprekken|звонков)"
        ),
    ),
    ("queue", r"warteschlange|file d attente|cola|fila|coda|wachtrij|очередь"),
    ("call number", r"anrufnummer"),
    ("customer number", r"kundennummer|kundennr|klantnummer"),
    ("customer id", r"kundenid"),
    ("customer name", r"kundenname\w*|klantnaam"),
    ("phone number", r"rufnummer|telefoonnummer|numero di telefono|numero de telefono|numero de telephone"),
    ("wait", r"warte(zeit|dauer)\w*|wachttijd|attente|espera|attesa|ожидани\w*"),
    ("talk time", r"gesprachs(dauer|zeit)\w*|sprech(zeit|dauer)|gespreks(duur|tijd)|разговор\w*"),
    ("talk", r"gesprach\w*|conversacion|conversa|conversazione|communication"),
    ("ring", r"klingel\w*|sonnerie|timbre|toque|squillo|bel(tijd|duur)"),
    ("start time", r"begintijd|starttijd|startzeit"),
    ("end time", r"eindtijd|endzeit"),
    ("start", r"beginn\w*|debut|inicio|inizio|aanvang|начал\w*"),
    ("end", r"ende|fin|fim|fine|termino|einde|конец|окончани\w*"),
    ("created", r"erstellt\w*|cree|creado|criado|creato|aangemaakt|создан\w*"),
    (
        "updated",
        (
            r"geandert|anderung\w*|aktualisier\w*|mise? a jour|actualizad[ao]|atualizad[ao]|aggiornat[ao]|"
            r"bijgewerkt|gewijzigd|изменен\w*|обновлен\w*"
        ),
    ),
    ("received", r"eingang\w*|ontvangen"),
    ("timestamp", r"horodatage|tijdstip|zeitstempel"),
    ("date", r"datum|fecha|data|дата|tag|jour|giorno|dia"),
    ("time", r"uhrzeit|zeit|hora|heure|ora|tijd|temps|tiempo|tempo|время"),
    ("unanswered", r"verpasst\w*|verloren\w*|perdid[ao]s?|pers[aoei]|manques?|gemist|пропущенные|пропущен\w*"),
    (
        "answered",
        (
            r"angenommen\w*|beantwortet\w*|repondu|decroche|contestad[ao]s?|atendid[ao]s?|respondid[ao]|rispost[ao]|beantwoord|"
            r"opgenomen|отвечен\w*|принят\w*"
        ),
    ),
    ("resolved", r"geloest|gelost|erledigt|resolu[ea]?|resuelt[ao]|resolvid[ao]|risolt[ao]|opgelost|решен\w*"),
    ("calls", r"anrufe|appels|llamadas|chamadas|ligacoes|chiamate|gesprekken|звонков"),
    ("call", r"anruf\w*|appel|llamada|chamada|ligacao|chiamata|oproep|gesprek|звонка?|вызов\w*"),
    ("customer", r"kunden?|kunde|cliente|клиента?|klant|abonne"),
    (
        "agent",
        (
            r"mitarbeiter\w*|bearbeiter\w*|sachbearbeiter\w*|agente|operador\w*|operatore|conseiller|teleconseiller|"
            r"atendente|medewerker|оператор\w*|сотрудник\w*"
        ),
    ),
    ("duration", r"\w*dauer|duree|duracion|duracao|durata|duur|длительность|продолжительность"),
    ("seconds", r"sekunden?|sek|segundos?|secondes?|secondi|seconden?|seg|секунд\w*|сек"),
    ("minutes", r"minuten|minutos?|minuti|минут\w*|мин"),
    ("hours", r"stunden|std|horas|heures|ore|uren"),
    ("region", r"bundesland|регион\w*|regiao|regione|regio"),
    ("country", r"land|pays|pais|paese"),
    ("site", r"standort|filiale|sede|vestiging"),
    ("city", r"ville|ciudad|cidade|citta|stad|город"),
    ("channel", r"kanal|canal|canale|kanaal|канал"),
    ("issue", r"anliegen|problema|thema"),
    ("topic", r"sujet|assunto|asunto|argomento|onderwerp|тема"),
    ("reason", r"\w*grund|motif|motivo|reden|причина"),
    ("category", r"kategorie|categori[ae]|categorie"),
    ("type", r"typ|tipo|art|soort|тип"),
    ("outcome", r"ergebnis|resultado|resultat|risultato|esito|uitkomst|результат"),
    ("status", r"statut|estado|situacao|stato|статус"),
    (
        "rating",
        r"bewertung\w*|calificacion|valoracion|puntuacion|avaliacao|valutazione|evaluation|beoordeling|оценк\w*",
    ),
    ("satisfaction", r"zufrieden\w*|satisfaccion|satisfacao|soddisfazione|tevredenheid"),
    ("number", r"lfd nr|laufende nr|nummer|numero|номер"),
    ("department", r"abteilung|departement|departamento|reparto|afdeling|отдел"),
    ("code", r"codigo|codice|код"),
    ("name", r"nom|nombre|nome|naam|имя"),
    ("first name", r"vorname|prenom"),
    ("last name", r"nachname|cognome|apellidos?|фио"),
    ("phone", r"telefon\w*|telephone|telefoon|телефон\w*"),
    ("address", r"adresse|strasse|direccion|endereco|indirizzo|adres"),
    ("e mail", r"courriel|correo( electronico)?"),
    ("comment", r"kommentar|bemerkung\w*|notiz\w*|commentaires?|comentarios?|commenti|opmerking\w*|комментари\w*"),
)
_NOT_A_NAME: Final = re.compile(
    r"(?<!\w)(?:de la|de l|del|della|dell|degli|de|do|da|di|du|des|d|l|la|le|el|van|het|der)(?!\w) ?"
)
_ENGLISH: Final = tuple((english, re.compile(rf"(?<!\w)(?:{words})(?!\w)")) for english, words in _WORDS)


def in_english(header: str) -> str:
    """A header (lower case, no accents, words apart) with the words that we know in English."""
    told = header
    for english, words in _ENGLISH:
        told = words.sub(english, told)
    return header if told == header else _NOT_A_NAME.sub("", told).strip()
