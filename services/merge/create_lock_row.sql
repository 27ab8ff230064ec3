{# Two rows, should two merges race here, lock as well as one does. #}
MERGE {{ lock | identifier }} AS l
USING (SELECT {{ feed.table | literal }} AS main) AS f
ON l.main = f.main
WHEN NOT MATCHED THEN INSERT (main, merges) VALUES (f.main, 0)
