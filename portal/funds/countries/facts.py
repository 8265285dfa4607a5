"""The facts about countries, one line each; the UN's own sources are named beside each list.

Sources: M49 (UN Statistics Division) for names, codes and sub-regions; the Department for General
Assembly and Conference Management for regional groups; the Committee for Development Policy for
the least developed countries; OHRLLS for the landlocked and the small island developing ones.
"""

from datetime import date

# ISO 3166 alpha-3, alpha-2, M49 code, regional group (- for observers), M49 sub-region, short name
TABLE = """
AFG AF 004 asia_pacific     034 Afghanistan
AGO AO 024 african          202 Angola
ALB AL 008 eastern_european 039 Albania
AND AD 020 weog             039 Andorra
ARE AE 784 asia_pacific     145 United Arab Emirates
ARG AR 032 grulac           419 Argentina
ARM AM 051 eastern_european 145 Armenia
ATG AG 028 grulac           419 Antigua and Barbuda
AUS AU 036 weog             053 Australia
AUT AT 040 weog             155 Austria
AZE AZ 031 eastern_european 145 Azerbaijan
BDI BI 108 african          202 Burundi
BEL BE 056 weog             155 Belgium
BEN BJ 204 african          202 Benin
BFA BF 854 african          202 Burkina Faso
BGD BD 050 asia_pacific     034 Bangladesh
BGR BG 100 eastern_european 151 Bulgaria
BHR BH 048 asia_pacific     145 Bahrain
BHS BS 044 grulac           419 Bahamas
BIH BA 070 eastern_european 039 Bosnia and Herzegovina
BLR BY 112 eastern_european 151 Belarus
BLZ BZ 084 grulac           419 Belize
BOL BO 068 grulac           419 Bolivia (Plurinational State of)
BRA BR 076 grulac           419 Brazil
BRB BB 052 grulac           419 Barbados
BRN BN 096 asia_pacific     035 Brunei Darussalam
BTN BT 064 asia_pacific     034 Bhutan
BWA BW 072 african          202 Botswana
CAF CF 140 african          202 Central African Republic
CAN CA 124 weog             021 Canada
CHE CH 756 weog             155 Switzerland
CHL CL 152 grulac           419 Chile
CHN CN 156 asia_pacific     030 China
CIV CI 384 african          202 Côte d’Ivoire
CMR CM 120 african          202 Cameroon
COD CD 180 african          202 Democratic Republic of the Congo
COG CG 178 african          202 Congo
COL CO 170 grulac           419 Colombia
COM KM 174 african          202 Comoros
CPV CV 132 african          202 Cabo Verde
CRI CR 188 grulac           419 Costa Rica
CUB CU 192 grulac           419 Cuba
CYP CY 196 asia_pacific     145 Cyprus
CZE CZ 203 eastern_european 151 Czechia
DEU DE 276 weog             155 Germany
DJI DJ 262 african          202 Djibouti
DMA DM 212 grulac           419 Dominica
DNK DK 208 weog             154 Denmark
DOM DO 214 grulac           419 Dominican Republic
DZA DZ 012 african          015 Algeria
ECU EC 218 grulac           419 Ecuador
EGY EG 818 african          015 Egypt
ERI ER 232 african          202 Eritrea
ESP ES 724 weog             039 Spain
EST EE 233 eastern_european 154 Estonia
ETH ET 231 african          202 Ethiopia
FIN FI 246 weog             154 Finland
FJI FJ 242 asia_pacific     054 Fiji
FRA FR 250 weog             155 France
FSM FM 583 asia_pacific     057 Micronesia (Federated States of)
GAB GA 266 african          202 Gabon
GBR GB 826 weog             154 United Kingdom of Great Britain and Northern Ireland
GEO GE 268 eastern_european 145 Georgia
GHA GH 288 african          202 Ghana
GIN GN 324 african          202 Guinea
GMB GM 270 african          202 Gambia
GNB GW 624 african          202 Guinea-Bissau
GNQ GQ 226 african          202 Equatorial Guinea
GRC GR 300 weog             039 Greece
GRD GD 308 grulac           419 Grenada
GTM GT 320 grulac           419 Guatemala
GUY GY 328 grulac           419 Guyana
HND HN 340 grulac           419 Honduras
HRV HR 191 eastern_european 039 Croatia
HTI HT 332 grulac           419 Haiti
HUN HU 348 eastern_european 151 Hungary
IDN ID 360 asia_pacific     035 Indonesia
IND IN 356 asia_pacific     034 India
IRL IE 372 weog             154 Ireland
IRN IR 364 asia_pacific     034 Iran (Islamic Republic of)
IRQ IQ 368 asia_pacific     145 Iraq
ISL IS 352 weog             154 Iceland
ISR IL 376 weog             145 Israel
ITA IT 380 weog             039 Italy
JAM JM 388 grulac           419 Jamaica
JOR JO 400 asia_pacific     145 Jordan
JPN JP 392 asia_pacific     030 Japan
KAZ KZ 398 asia_pacific     143 Kazakhstan
KEN KE 404 african          202 Kenya
KGZ KG 417 asia_pacific     143 Kyrgyzstan
KHM KH 116 asia_pacific     035 Cambodia
KIR KI 296 asia_pacific     057 Kiribati
KNA KN 659 grulac           419 Saint Kitts and Nevis
KOR KR 410 asia_pacific     030 Republic of Korea
KWT KW 414 asia_pacific     145 Kuwait
LAO LA 418 asia_pacific     035 Lao People’s Democratic Republic
LBN LB 422 asia_pacific     145 Lebanon
LBR LR 430 african          202 Liberia
LBY LY 434 african          015 Libya
LCA LC 662 grulac           419 Saint Lucia
LIE LI 438 weog             155 Liechtenstein
LKA LK 144 asia_pacific     034 Sri Lanka
LSO LS 426 african          202 Lesotho
LTU LT 440 eastern_european 154 Lithuania
LUX LU 442 weog             155 Luxembourg
LVA LV 428 eastern_european 154 Latvia
MAR MA 504 african          015 Morocco
MCO MC 492 weog             155 Monaco
MDA MD 498 eastern_european 151 Republic of Moldova
MDG MG 450 african          202 Madagascar
MDV MV 462 asia_pacific     034 Maldives
MEX MX 484 grulac           419 Mexico
MHL MH 584 asia_pacific     057 Marshall Islands
MKD MK 807 eastern_european 039 North Macedonia
MLI ML 466 african          202 Mali
MLT MT 470 weog             039 Malta
MMR MM 104 asia_pacific     035 Myanmar
MNE ME 499 eastern_european 039 Montenegro
MNG MN 496 asia_pacific     030 Mongolia
MOZ MZ 508 african          202 Mozambique
MRT MR 478 african          202 Mauritania
MUS MU 480 african          202 Mauritius
MWI MW 454 african          202 Malawi
MYS MY 458 asia_pacific     035 Malaysia
NAM NA 516 african          202 Namibia
NER NE 562 african          202 Niger
NGA NG 566 african          202 Nigeria
NIC NI 558 grulac           419 Nicaragua
NLD NL 528 weog             155 Netherlands (Kingdom of the)
NOR NO 578 weog             154 Norway
NPL NP 524 asia_pacific     034 Nepal
NRU NR 520 asia_pacific     057 Nauru
NZL NZ 554 weog             053 New Zealand
OMN OM 512 asia_pacific     145 Oman
PAK PK 586 asia_pacific     034 Pakistan
PAN PA 591 grulac           419 Panama
PER PE 604 grulac           419 Peru
PHL PH 608 asia_pacific     035 Philippines
PLW PW 585 asia_pacific     057 Palau
PNG PG 598 asia_pacific     054 Papua New Guinea
POL PL 616 eastern_european 151 Poland
PRK KP 408 asia_pacific     030 Democratic People’s Republic of Korea
PRT PT 620 weog             039 Portugal
PRY PY 600 grulac           419 Paraguay
PSE PS 275 -                145 State of Palestine
QAT QA 634 asia_pacific     145 Qatar
ROU RO 642 eastern_european 151 Romania
RUS RU 643 eastern_european 151 Russian Federation
RWA RW 646 african          202 Rwanda
SAU SA 682 asia_pacific     145 Saudi Arabia
SDN SD 729 african          015 Sudan
SEN SN 686 african          202 Senegal
SGP SG 702 asia_pacific     035 Singapore
SLB SB 090 asia_pacific     054 Solomon Islands
SLE SL 694 african          202 Sierra Leone
SLV SV 222 grulac           419 El Salvador
SMR SM 674 weog             039 San Marino
SOM SO 706 african          202 Somalia
SRB RS 688 eastern_european 039 Serbia
SSD SS 728 african          202 South Sudan
STP ST 678 african          202 Sao Tome and Principe
SUR SR 740 grulac           419 Suriname
SVK SK 703 eastern_european 151 Slovakia
SVN SI 705 eastern_european 039 Slovenia
SWE SE 752 weog             154 Sweden
SWZ SZ 748 african          202 Eswatini
SYC SC 690 african          202 Seychelles
SYR SY 760 asia_pacific     145 Syrian Arab Republic
TCD TD 148 african          202 Chad
TGO TG 768 african          202 Togo
THA TH 764 asia_pacific     035 Thailand
TJK TJ 762 asia_pacific     143 Tajikistan
TKM TM 795 asia_pacific     143 Turkmenistan
TLS TL 626 asia_pacific     035 Timor-Leste
TON TO 776 asia_pacific     061 Tonga
TTO TT 780 grulac           419 Trinidad and Tobago
TUN TN 788 african          015 Tunisia
TUR TR 792 weog             145 Türkiye
TUV TV 798 asia_pacific     061 Tuvalu
TZA TZ 834 african          202 United Republic of Tanzania
UGA UG 800 african          202 Uganda
UKR UA 804 eastern_european 151 Ukraine
URY UY 858 grulac           419 Uruguay
USA US 840 weog             021 United States of America
UZB UZ 860 asia_pacific     143 Uzbekistan
VAT VA 336 -                039 Holy See
VCT VC 670 grulac           419 Saint Vincent and the Grenadines
VEN VE 862 grulac           419 Venezuela (Bolivarian Republic of)
VNM VN 704 asia_pacific     035 Viet Nam
VUT VU 548 asia_pacific     054 Vanuatu
WSM WS 882 asia_pacific     061 Samoa
YEM YE 887 asia_pacific     145 Yemen
ZAF ZA 710 african          202 South Africa
ZMB ZM 894 african          202 Zambia
ZWE ZW 716 african          202 Zimbabwe
"""

# (since, until): least developed from the first day until the day before the second. Of the
# entries before 2003 only the year is public, so they begin on 1 January.
LEAST_DEVELOPED: dict[str, tuple[date, date | None]] = {
    "AFG": (date(1971, 1, 1), None),
    "BEN": (date(1971, 1, 1), None),
    "BTN": (date(1971, 1, 1), date(2023, 12, 13)),
    "BWA": (date(1971, 1, 1), date(1994, 12, 19)),
    "BFA": (date(1971, 1, 1), None),
    "BDI": (date(1971, 1, 1), None),
    "TCD": (date(1971, 1, 1), None),
    "ETH": (date(1971, 1, 1), None),
    "GIN": (date(1971, 1, 1), None),
    "HTI": (date(1971, 1, 1), None),
    "LAO": (date(1971, 1, 1), date(2026, 11, 24)),
    "LSO": (date(1971, 1, 1), None),
    "MWI": (date(1971, 1, 1), None),
    "MDV": (date(1971, 1, 1), date(2011, 1, 1)),
    "MLI": (date(1971, 1, 1), None),
    "NPL": (date(1971, 1, 1), date(2026, 11, 24)),
    "NER": (date(1971, 1, 1), None),
    "RWA": (date(1971, 1, 1), None),
    "WSM": (date(1971, 1, 1), date(2014, 1, 1)),
    "SOM": (date(1971, 1, 1), None),
    "SDN": (date(1971, 1, 1), None),
    "UGA": (date(1971, 1, 1), None),
    "TZA": (date(1971, 1, 1), None),
    "YEM": (date(1971, 1, 1), None),
    "BGD": (date(1975, 1, 1), date(2026, 11, 24)),
    "CAF": (date(1975, 1, 1), None),
    "GMB": (date(1975, 1, 1), None),
    "CPV": (date(1977, 1, 1), date(2007, 12, 20)),
    "COM": (date(1977, 1, 1), None),
    "GNB": (date(1981, 1, 1), None),
    "DJI": (date(1982, 1, 1), None),
    "GNQ": (date(1982, 1, 1), date(2017, 6, 4)),
    "STP": (date(1982, 1, 1), date(2024, 12, 13)),
    "SLE": (date(1982, 1, 1), None),
    "TGO": (date(1982, 1, 1), None),
    "VUT": (date(1985, 1, 1), date(2020, 12, 4)),
    "KIR": (date(1986, 1, 1), None),
    "MRT": (date(1986, 1, 1), None),
    "TUV": (date(1986, 1, 1), None),
    "MMR": (date(1987, 1, 1), None),
    "MOZ": (date(1988, 1, 1), None),
    "LBR": (date(1990, 1, 1), None),
    "KHM": (date(1991, 1, 1), date(2029, 12, 19)),
    "COD": (date(1991, 1, 1), None),
    "MDG": (date(1991, 1, 1), None),
    "SLB": (date(1991, 1, 1), date(2027, 12, 13)),
    "ZMB": (date(1991, 1, 1), None),
    "AGO": (date(1994, 1, 1), None),
    "ERI": (date(1994, 1, 1), None),
    "SEN": (date(2000, 1, 1), date(2029, 12, 19)),
    "TLS": (date(2003, 1, 1), None),
    "SSD": (date(2012, 12, 18), None),
}

LEAST_DEVELOPED_TO_BE_CONFIRMED = frozenset({"KHM", "SEN", "SLB"})
"""Countries whose day of leaving is still to be confirmed (General Assembly decisions ahead)."""

LANDLOCKED_DEVELOPING = frozenset(
    {
        "AFG",
        "ARM",
        "AZE",
        "BDI",
        "BFA",
        "BOL",
        "BTN",
        "BWA",
        "CAF",
        "ETH",
        "KAZ",
        "KGZ",
        "LAO",
        "LSO",
        "MDA",
        "MKD",
        "MLI",
        "MNG",
        "MWI",
        "NER",
        "NPL",
        "PRY",
        "RWA",
        "SSD",
        "SWZ",
        "TCD",
        "TJK",
        "TKM",
        "UGA",
        "UZB",
        "ZMB",
        "ZWE",
    }
)
"""The 32 landlocked developing countries. None has left the list."""

LANDLOCKED_SINCE = {"SSD": date(2012, 12, 18)}
"""Later additions than the list's beginning."""

SMALL_ISLAND_DEVELOPING = frozenset(
    {
        "ATG",
        "BHS",
        "BLZ",
        "BRB",
        "COM",
        "CPV",
        "CUB",
        "DMA",
        "DOM",
        "FJI",
        "FSM",
        "GNB",
        "GRD",
        "GUY",
        "HTI",
        "JAM",
        "KIR",
        "KNA",
        "LCA",
        "MDV",
        "MHL",
        "MUS",
        "NRU",
        "PLW",
        "PNG",
        "SGP",
        "SLB",
        "STP",
        "SUR",
        "SYC",
        "TLS",
        "TON",
        "TTO",
        "TUV",
        "VCT",
        "VUT",
        "WSM",
    }
)
"""The 37 small island developing States that are members of the United Nations."""

DEVELOPED_OUTSIDE_EUROPE = frozenset({"AUS", "CAN", "CYP", "ISR", "JPN", "KOR", "NZL", "USA"})
"""With Europe: the developed regions of M49 as it last had them (December 2021). M49 has dropped
the distinction since; for the funds it is to be confirmed by the fund secretariat."""

NO_GENEVA_MISSION = frozenset(
    {"ATG", "BLZ", "DMA", "FSM", "GRD", "KIR", "KNA", "LCA", "PLW", "STP", "SUR", "TON", "VCT"}
)
"""States recorded as having no permanent mission of their own in Geneva: to be confirmed by the
fund secretariat, since missions open and close."""
