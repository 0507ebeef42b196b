"""
What may not decide about credit.

Source: DOMAIN.md section 12: Lei 12.414/2011 art. 3 and 7-A (social or ethnic origin, health,
genetics, sex, political, religious and philosophical belief, and the use of one's own rights), LGPD
(Lei 13.709/2018) art. 5 II (racial origin, union membership, sexual life, biometrics) and art. 20.
Proxies (postal code, name) are not barred; they are pointed out.
"""

import re
from typing import Final

_ENGLISH: Final = """
sex gender gender_identity pregnant pregnancy race racial skin_color skin_colour ethnicity ethnic
ethnic_origin social_origin caste religion religious faith church creed health disease diagnosis
illness disability disabled medical hiv medication genetic genetics dna biometric biometrics
politics political political_party philosophical philosophy belief beliefs union_member
union_membership trade_union sexual sexual_orientation sexual_life sexuality transgender
review_requested data_subject_request own_inquiries
"""
_PORTUGUESE: Final = """
sexo genero identidade_genero identidade_de_genero gestante gravida gravidez raca racial cor
cor_da_pele etnia etnica etnico origem_etnica origem_social origem_racial casta religiao religiosa
religioso igreja credo saude doenca diagnostico enfermidade deficiencia medica medico medicacao
genetica genetico biometria biometrico opiniao_politica filiacao_politica politico partido_politico
filosofica filosofico crenca convicao conviccao sindicato sindical filiacao_sindical sexual
sexualidade orientacao_sexual vida_sexual transgenero revisao_solicitada pedido_revisao
consultas_proprias
"""
_PROXIES: Final = """
cep zip zip_code zipcode postal_code postcode name first_name last_name full_name nome sobrenome
neighbourhood neighborhood bairro nationality nacionalidade naturalidade birthplace marital_status
estado_civil
"""
BARRED: Final = frozenset((_ENGLISH + _PORTUGUESE).split())
PROXIES: Final = frozenset(_PROXIES.split())
#: Words of the longest term: no longer run of words needs a look.
_LONGEST: Final = max(term.count("_") + 1 for term in BARRED | PROXIES)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def barred_in(name: str) -> str:
    """Return the barred term that a field's name holds as whole words, or an empty text."""
    return _term(name, BARRED)


def proxy_in(name: str) -> str:
    """Return the proxy term that a field's name holds as whole words, or an empty text."""
    return _term(name, PROXIES)


def _term(name: str, terms: frozenset[str]) -> str:
    words = [word.lower() for word in _WORD.findall(name)]
    starts = range(len(words))
    runs = ("_".join(words[i:j]) for i in starts for j in range(i + 1, i + _LONGEST + 1))
    return next((run for run in runs if run in terms), "")
