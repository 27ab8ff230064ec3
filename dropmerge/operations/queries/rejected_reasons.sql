{# Rejected rows of one load by reason, the most frequent first. Parameters: feed, load_id. #}
SELECT why, COUNT(*) AS n
FROM `ops.rejected_rows`, UNNEST(reasons) AS why
WHERE feed = @feed AND load_id = @load_id
GROUP BY why
ORDER BY n DESC, why
