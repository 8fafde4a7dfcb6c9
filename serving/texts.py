"""Sentences that operators read, in Russian: the answers' only words that are not the catalogue's or the models'."""

from models.classifier.routing import Reason

REASONS_RU: dict[Reason, str] = {
    "low_confidence": "Модель недостаточно уверена в исполнителе: решение за оператором.",
    "rare_label": "Тема встречается слишком редко, чтобы модель её выучила: нужна ручная маршрутизация.",
    "no_cyrillic": "В тексте нет ни одной русской буквы: прочитайте его сами.",
    "unlike_training": "Слова в тексте не похожи на те, на которых училась модель: прочитайте его сами.",
    "several_problems": "В сообщении несколько проблем: разделите его или выберите главную.",
}
"""Why an operator must look at a complaint, by the code of the reason."""
