{# Two rows of one feed, should two merges race here, lock as well as one does. #}
MERGE {{ locks | identifier }} AS l
USING (SELECT {{ feed.feed | literal }} AS feed) AS f
ON l.feed = f.feed
WHEN NOT MATCHED THEN INSERT (feed, merges) VALUES (f.feed, 0)
