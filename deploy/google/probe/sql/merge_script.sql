{# Two statements, each of which is billed for one table: 10 MiB at least. #}
UPDATE {{ table | identifier }} SET v = 'y' WHERE k = 1;

MERGE {{ table | identifier }} AS t
USING (SELECT 3 AS k, 'z' AS v) AS s
ON t.k = s.k
WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.k, s.v);
