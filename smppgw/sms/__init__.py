"""3GPP content: what stands inside short_message, and how a text becomes segments. Pure.

gsm7        the GSM 7 bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1)
udh         User Data Header: information elements, concatenation (3GPP TS 23.040, 9.2.3.24)
encoding    how one SMSC wants its texts, and the sizes that follow
plan        a text to an alphabet and its segments
dcs         octets and data_coding to text, for all that comes from an SMSC
reassemble  segments back to the text

Refuses to know SMPP sessions, addresses, carriers, clocks and logging.
"""
