"""Codes of all corpora become tags, none of them twice."""

import pytest

from crosslingual.data.languages import choose, standard_tag
from crosslingual.data.nearest import closest

# The codes of the corpora as they are published.
TATOEBA = """afr amh ang ara arq arz ast awa aze bel ben ber bos bre bul cat cbk ceb ces cha cmn cor csb cym
dan deu dsb dtp ell epo est eus fao fin fra fry gla gle glg gsw heb hin hrv hsb hun hye ido ile ina ind isl
ita jav jpn kab kat kaz khm kor kur kzj lat lfn lit lvs mal mar max mhr mkd mon nds nld nno nob nov oci orv
pam pes pms pol por ron rus slk slv spa sqi srp swe swg swh tam tat tel tgl tha tuk tur tzl uig ukr urd uzb
vie war wuu xho yid yue zsm""".split()
NTREX = """afr amh arb aze-Latn bak bel bem ben bod bos bul cat ces ckb-Arab cym dan deu div dzo ell eng-GB
eng-IN eng-US est eus ewe fao fas fij fil fin fra fra-CA fuc gle glg guj gsw-BE gsw-ZH hau heb hin hmn hrv hun
hye ibo ind isl ita jpn kan kat kaz khm kin kir kmr kor lao lav lit ltz mal mar mey mkd mlg mlt mon mri msa mya
nde nep nld nno nob nso nya orm pan pol por por-BR prs pus ron rus shi sin slk slv smo sna-Latn snd-Arab som
spa spa-MX sqi srp-Cyrl srp-Latn ssw swa swe tah tam tat tel tgk-Cyrl tha tir ton tsn tuk tur uig ukr urd uzb
ven vie wol xho yor yue zho-CN zho-TW zul eng""".split()
FLORES = """ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab afr_Latn ajp_Arab aka_Latn als_Latn amh_Ethi apc_Arab
arb_Arab arb_Latn ars_Arab ary_Arab arz_Arab asm_Beng ast_Latn awa_Deva ayr_Latn azb_Arab azj_Latn bak_Cyrl
bam_Latn ban_Latn bel_Cyrl bem_Latn ben_Beng bho_Deva bjn_Arab bjn_Latn bod_Tibt bos_Latn bug_Latn bul_Cyrl
cat_Latn ceb_Latn ces_Latn cjk_Latn ckb_Arab crh_Latn cym_Latn dan_Latn deu_Latn dik_Latn dyu_Latn dzo_Tibt
ell_Grek eng_Latn epo_Latn est_Latn eus_Latn ewe_Latn fao_Latn fij_Latn fin_Latn fon_Latn fra_Latn fur_Latn
fuv_Latn gaz_Latn gla_Latn gle_Latn glg_Latn grn_Latn guj_Gujr hat_Latn hau_Latn heb_Hebr hin_Deva hne_Deva
hrv_Latn hun_Latn hye_Armn ibo_Latn ilo_Latn ind_Latn isl_Latn ita_Latn jav_Latn jpn_Jpan kab_Latn kac_Latn
kam_Latn kan_Knda kas_Arab kas_Deva kat_Geor kaz_Cyrl kbp_Latn kea_Latn khk_Cyrl khm_Khmr kik_Latn kin_Latn
kir_Cyrl kmb_Latn kmr_Latn knc_Arab knc_Latn kon_Latn kor_Hang lao_Laoo lij_Latn lim_Latn lin_Latn lit_Latn
lmo_Latn ltg_Latn ltz_Latn lua_Latn lug_Latn luo_Latn lus_Latn lvs_Latn mag_Deva mai_Deva mal_Mlym mar_Deva
min_Arab min_Latn mkd_Cyrl mlt_Latn mni_Beng mos_Latn mri_Latn mya_Mymr nld_Latn nno_Latn nob_Latn npi_Deva
nso_Latn nus_Latn nya_Latn oci_Latn ory_Orya pag_Latn pan_Guru pap_Latn pbt_Arab pes_Arab plt_Latn pol_Latn
por_Latn prs_Arab quy_Latn ron_Latn run_Latn rus_Cyrl sag_Latn san_Deva sat_Olck scn_Latn shn_Mymr sin_Sinh
slk_Latn slv_Latn smo_Latn sna_Latn snd_Arab som_Latn sot_Latn spa_Latn srd_Latn srp_Cyrl ssw_Latn sun_Latn
swe_Latn swh_Latn szl_Latn tam_Taml taq_Latn taq_Tfng tat_Cyrl tel_Telu tgk_Cyrl tgl_Latn tha_Thai tir_Ethi
tpi_Latn tsn_Latn tso_Latn tuk_Latn tum_Latn tur_Latn twi_Latn tzm_Tfng uig_Arab ukr_Cyrl umb_Latn urd_Arab
uzn_Latn vec_Latn vie_Latn war_Latn wol_Latn xho_Latn ydd_Hebr yor_Latn yue_Hant zho_Hans zho_Hant zsm_Latn
zul_Latn""".split()
PUD = "ar cs de en es fi fr gl hi id is it ja ko pl pt ru sv th tr uk".split()


@pytest.mark.parametrize(
    ("name", "codes", "count"),
    [("tatoeba", TATOEBA, 112), ("ntrex", NTREX, 130), ("flores", FLORES, 204), ("pud", PUD, 21)],
)
def test_code_to_tag_is_injective_within_a_corpus(name, codes, count):
    tags = [standard_tag(code) for code in codes]
    assert len(codes) == count
    assert sorted(tags) == sorted(set(tags))


@pytest.mark.parametrize(
    ("codes", "tag"),
    [
        ("deu de ger deu_Latn DE", "de"),
        ("cmn zho_Hans zho-CN zh zh-CN", "zh"),
        ("zho_Hant zh-Hant zho-TW zh-TW", "zh-Hant"),
        ("swa swh swh_Latn sw", "sw"),
        ("arb ara arb_Arab ar", "ar"),
        ("kor kor_Hang ko", "ko"),
        ("srp srp-Cyrl sr", "sr"),
        ("srp-Latn sr_Latn", "sr-Latn"),
        ("pes fas fa", "fa"),
        ("jpn_Jpan ja", "ja"),
    ],
)
def test_names_of_one_language_meet(codes, tag):
    assert {standard_tag(code) for code in codes.split()} == {tag}


def test_languages_that_the_rule_would_merge_stay_apart():
    assert standard_tag("kzj") != standard_tag("dtp")
    assert len({standard_tag(code) for code in ("ara", "arq", "arz")}) == 3
    assert len({standard_tag(code) for code in ("zho", "yue", "wuu")}) == 3


def test_a_tag_is_its_own_tag():
    for code in (*TATOEBA, *NTREX, *FLORES):
        assert standard_tag(standard_tag(code)) == standard_tag(code)


@pytest.mark.parametrize("code", ["", "not a language", "123", "d"])
def test_what_is_no_code_is_named(code):
    with pytest.raises(ValueError, match="is no language code"):
        standard_tag(code)


def test_choose_takes_tags_and_codes_in_the_corpus_order():
    codes = ["ara", "deu", "swh", "eng"]
    assert choose("sw,deu", codes) == ["deu", "swh"]
    assert choose("all", codes) == codes
    assert choose("zh-Hant", ["zh"], {"zh": "zh-Hant"}) == ["zh"]
    with pytest.raises(ValueError, match="unknown language 'gre'"):
        choose("gre", codes)
    with pytest.raises(ValueError, match="unknown language 'duets' here: there are"):
        choose("duets", codes)


def test_nearest_names_what_looks_alike_or_what_there_is():
    assert closest("acuracy", ["accuracy", "auc", "mrr"]) == "did you mean accuracy or auc?"
    assert closest("zzz", ["b", "a"]) == "there are a, b"
