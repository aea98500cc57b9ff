"""3GPP content: what stands inside short_message, and how a text becomes segments. Pure.

gsm7        the GSM 7 bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1)
national    the shift tables of 13 languages, and which of them carry a text (23.038, Annex A)
udh         User Data Header: information elements, concatenation (3GPP TS 23.040, 9.2.3.24)
encoding    how one SMSC wants its texts, and the sizes that follow
coding      data_coding by alphabet, message class and waiting indication
clusters    what a reader takes for one character
cut         where a long text is cut: what stays together
forms       one way to write a text: the room in a part, and the parts
plan        a text, or octets, to an alphabet and its segments: the best of the forms
lacking     characters that cannot be written, by name
preview     what a plan costs, told before it is sent
smart       characters that stand in for others, so that a text fits into GSM-7
ports       application ports and a caller's own UDH, as information elements
wap         WAP push: Service Indication and Service Loading
dcs         octets and data_coding to text, for all that comes from an SMSC
reassemble  segments back to the text

Refuses to know SMPP sessions, addresses, carriers, clocks and logging.
"""
