{# As ingest records rejected rows: one statement a file, one table for all feeds. #}
INSERT INTO {{ table | identifier }} (k, v, n) VALUES (3, 'x', 3)
