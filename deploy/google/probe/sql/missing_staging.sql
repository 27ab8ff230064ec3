{# A transaction whose MERGE reads a staging table that has been dropped. #}
BEGIN TRANSACTION;

UPDATE {{ lock | identifier }} SET merges = merges + 1 WHERE TRUE;

MERGE {{ table | identifier }} AS t
USING (SELECT k, v FROM {{ missing | identifier }}) AS s
ON t.k = s.k
WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.k, s.v);

COMMIT TRANSACTION;
