# ruff: noqa: E501 - headers of exports are as long as they are
"""The same calls as exports in several languages name their columns."""

from __future__ import annotations

from typing import Final

from tests.dataset.exports import AGENTS, began, clock, day, lost, talk, wait

_YES_NO: Final = {
    "es": "Sí No",
    "fr": "Oui Non",
    "pt": "Sim Não",
    "it": "Sì No",
    "nl": "Ja Nee",
    "de": "Ja Nein",
    "ru": "да нет",
}
HEADERS: Final = {
    "es": "ID de llamada;Número de cliente;Agente;Región;Canal;Motivo;Fecha de inicio;Fecha de fin;Tiempo de espera (seg);"
    "Tiempo de conversación (seg);Contestada;Resuelta;Calificación;Nombre del cliente;Comentarios",
    "fr": "N° d'appel;Numéro client;Conseiller;Région;Canal;Motif;Date de début;Date de fin;Attente (s);"
    "Durée de communication (s);Répondu;Résolu;Évaluation;Nom du client;Commentaires",
    "pt": "ID da chamada;Código do cliente;Atendente;Região;Canal;Assunto;Data de início;Data de término;Tempo de espera (s);"
    "Tempo de conversa (s);Atendida;Resolvida;Avaliação;Nome do cliente;Comentários",
    "it": "ID chiamata;Codice cliente;Operatore;Regione;Canale;Motivo;Data inizio;Data fine;Tempo di attesa (s);"
    "Durata conversazione (s);Risposta;Risolta;Valutazione;Nome cliente;Commenti",
    "nl": "Gesprek-ID;Klantnummer;Medewerker;Regio;Kanaal;Onderwerp;Begintijd;Eindtijd;Wachttijd (sec);"
    "Gespreksduur (sec);Beantwoord;Opgelost;Beoordeling;Klantnaam;Opmerkingen",
    "de": "Anruf-ID;Kundennummer;Mitarbeiter;Bundesland;Kanal;Anliegen;Beginn;Ende;Wartezeit (Sek.);"
    "Gesprächsdauer (Sek.);Angenommen;Gelöst;Bewertung;Kundenname;Bemerkung",
    "ru": "Номер звонка;Номер клиента;Оператор;Регион;Канал;Причина;Начало звонка;Окончание звонка;Время ожидания (сек);"
    "Длительность разговора (сек);Отвечен;Решен;Оценка;ФИО;Комментарий",
}  # fmt: skip
COLUMNS: Final = (
    "call_id", "customer_id", "agent_name", "region", "channel", "issue_type", "started_at", "ended_at", "wait_seconds",
    "duration_seconds", "answered", "resolved", "rating",
)  # fmt: skip
"""What the columns are, in their order; the last two of the export are personal."""


def export(tongue: str) -> str:
    """Forty calls with headers in `tongue`."""
    yes, no = _YES_NO[tongue].split()
    return "\n".join([HEADERS[tongue], *(_row(k, yes, no) for k in range(40))]) + "\n"


def _row(k: int, yes: str, no: str) -> str:
    date = f"{day(k):02d}/05/2024"
    return ";".join([
        f"A{k:05d}", f"K{k % 13:03d}", "" if lost(k) else AGENTS[k % 4], ("Nord", "Sud")[k % 2], ("Tel", "Web")[k % 2],
        ("A1", "B2", "C3")[k % 3], f"{date} {clock(began(k))}", f"{date} {clock(began(k) + wait(k) + talk(k))}",
        str(wait(k)), str(talk(k)), no if lost(k) else yes, yes if k % 3 else no, "" if lost(k) else str(k % 5 + 1),
        f"Pat Doe {k}", "" if k % 4 else "ok",
    ])  # fmt: skip
