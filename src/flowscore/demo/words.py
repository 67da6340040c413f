"""The names, trades and courses from which the demo makes up its people."""

from __future__ import annotations

from typing import NamedTuple


class Course(NamedTuple):
    """A course of the academy: price in euros, and the article that leads to it."""

    subject: str
    sku: str
    name: str
    price: int
    article: str

    @property
    def path(self) -> str:
        """Its page."""
        return f"/courses/{self.subject}"


COURSES = (
    Course("photography", "PHOTO", "Photograph what you sell", 89, "/articles/window-light"),
    Course("spreadsheets", "SHEETS", "Spreadsheets without fear", 69, "/articles/six-formulas"),
    Course("writing", "WORDS", "Words that sell without shouting", 79, "/articles/four-sentences"),
)

FIRST_NAMES = {
    "es": "Lucía Carmen Amparo Inés Rocío Nuria Marina Pilar Elena Paula Sofía Lola Vega Alba "
    "Teresa Adriana Camila Valeria Ximena Javier Álvaro Rafa Sergio Pablo Diego Iván Hugo Andrés "
    "Vicente Joan Mateo Bruno Martín Emilio Tomás Óscar",
    "en": "Nuala Maeve Aoife Harriet Poppy Imogen Freya Beth Grace Ines Clara Hanna Lotte Noor "
    "Mira Elin Fiona Siobhan Orla Callum Rory Ewan Owen Gareth Dylan Finn Oscar Jonas Till Bram "
    "Lars Emil Hamish Declan Tariq Felix",
}
LAST_NAMES = {
    "es": "Ferrer Soler Vidal Navarro Molina Ortega Campos Serrano Prieto Ibáñez Roca Peris "
    "Gallardo Marín Cano Lozano Bravo Rey Pascual Esteve Blasco Quiroga Rivas Paredes Salas "
    "Cabrera Luna Ponce Duarte Sanz Benet Tormo",
    "en": "Byrne Walsh Doyle Hughes Morgan Price Ellis Turner Fletcher Hart Webb Pryce Baker "
    "Lowe Barnes Winter Keane Moran Quinn Frost Holm Becker Vogel Jansen Smit Lindqvist Berg "
    "Archer Sutton Reed Marsh Khan",
}
COUNTRIES = {
    "es": ("ES ES ES ES ES ES ES MX MX AR CO CL").split(),
    "en": ("GB GB GB GB IE IE IE DE DE NL SE US").split(),
}
ZONES = {
    "ES": "Europe/Madrid", "MX": "America/Mexico_City", "AR": "America/Argentina/Buenos_Aires",
    "CO": "America/Bogota", "CL": "America/Santiago", "GB": "Europe/London",
    "IE": "Europe/Dublin", "DE": "Europe/Berlin", "NL": "Europe/Amsterdam",
    "SE": "Europe/Stockholm", "US": "America/New_York",
}  # fmt: skip

# Job titles with how often they come, of twenty.
JOB_TITLES = {
    "es": {
        "Gerente": 4, "Freelance": 4, "Negocio propio": 2, "Responsable de tienda": 2,
        "Comunicación": 2, "Contable": 1, "Docente": 1, "Estudiante": 3, "": 1,
    },
    "en": {
        "Owner": 4, "Freelancer": 4, "Founder": 2, "Shop manager": 2,
        "Marketing manager": 2, "Bookkeeper": 1, "Teacher": 1, "Student": 3, "": 1,
    },
}  # fmt: skip
NO_COMPANY = frozenset({"Estudiante", "Student", "Docente", "Teacher", ""})

TRADES = {
    "es": {
        "Cerámica": "crafts", "Taller": "crafts", "Panadería": "food", "Jabones": "crafts",
        "Estudio": "design", "Floristería": "retail", "Librería": "retail", "Bodega": "food",
        "Clínica veterinaria": "health care", "Huerta": "food",
    },
    "en": {
        "Pottery": "crafts", "Bakery": "food", "Books": "retail", "Knitwear": "crafts",
        "Studio": "design", "Garden Design": "design", "Bicycles": "retail", "Cider": "food",
        "Veterinary Practice": "health care", "Joinery": "crafts",
    },
}  # fmt: skip
PLACES = {
    "es": "Lluna Azahar Mirlo Levante Olmo Brisa Romero Salinas Encina Garbí Alondra Nácar",
    "en": "Bramble Heron Alder Wren Foxglove Harbour Kestrel Larch Millstone Thistle Tern",
}

QUESTIONS = {
    "es": (
        "¿Sirve si solo tengo el móvil?",
        "¿Puedo cambiar de grupo si un martes no llego?",
        "¿Dais factura a nombre de la empresa?",
    ),
    "en": (
        "Is it any use if all I have is my phone?",
        "Can I change groups if I miss a Tuesday?",
        "Could the two of us share one place?",
    ),
}
