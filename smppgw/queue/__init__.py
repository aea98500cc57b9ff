"""The durable truth.

model        words, the segment's state machine, operations, views, the Store protocol
operations   what each operation does to the tables, inside a transaction
statements   every SQL statement, by name
matcher      which segment a receipt belongs to, and what it does to it (pure)
ids          how the ids in a carrier's receipts relate to those in its answers (pure)
retry        when a refused segment is tried again (pure)
engine       group commit; each caller gets the truth about its own
sqlite       the store: connections, threads, the file's lock
views        reading
schema       migrations
sweeper      deadlines
work         wakes the binds
"""
