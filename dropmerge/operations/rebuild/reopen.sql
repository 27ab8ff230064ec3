{# The feed's entry is that of the built table, whose rows are in place, and none that it had before. Only once: the lock,
   and the built table's entry, are gone afterwards. #}
BEGIN TRANSACTION;

UPDATE {{ lock | identifier }} SET merges = merges + 1 WHERE main = {{ built.main_table | literal }};

SELECT IF(COUNT(*) = 1, NULL, ERROR({{ elsewhere | literal }}))
FROM {{ entries | identifier }}
WHERE main_table = {{ built.main_table | literal }} AND table_id = {{ built.table_id | literal }};

{# Whatever an earlier contract, or another build, refused of these files is theirs no more. #}
DELETE FROM {{ rejected | identifier }}
WHERE load_id IN (SELECT load_id FROM {{ ledger | identifier }} WHERE table_id = {{ built.table_id | literal }})
  OR load_id IN (SELECT load_id FROM {{ refused | identifier }});

INSERT INTO {{ rejected | identifier }} (feed, bucket, object, generation, load_id, row_text, reasons, rejected_at)
SELECT feed, bucket, object, generation, load_id, row_text, reasons, rejected_at FROM {{ refused | identifier }};

{# Rows of before the first file are of no load. #}
DELETE FROM {{ ledger | identifier }} WHERE table_id = {{ built.table_id | literal }} AND load_id = {{ adopted | literal }};

UPDATE {{ ledger | identifier }} SET feed = {{ feed.name | literal }} WHERE table_id = {{ built.table_id | literal }};

DELETE FROM {{ entries | identifier }} WHERE feed = {{ feed.name | literal }};

UPDATE {{ entries | identifier }}
SET
  main_table = {{ feed.table | literal }}, feed = {{ feed.name | literal }},
  created_at = TIMESTAMP {{ created | string | literal }}, rebuild = NULL
WHERE main_table = {{ built.main_table | literal }};

COMMIT TRANSACTION;
