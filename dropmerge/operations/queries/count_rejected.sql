{# Rejected rows of each feed. #}
SELECT feed, COUNT(*) AS n FROM `ops.rejected_rows` GROUP BY feed
