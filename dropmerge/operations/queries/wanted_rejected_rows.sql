{# Which rejected rows are meant. Parameters: since, of 1970 for all, also those that an earlier release recorded without
   a time; and each empty for all: feed, loads (comma-separated ids), reason. #}
(@feed = '' OR feed = @feed)
AND (@loads = '' OR load_id IN UNNEST(SPLIT(@loads)))
AND COALESCE(rejected_at, TIMESTAMP '1970-01-01 00:00:00+00') >= @since
AND (
  @reason = ''
  OR EXISTS (SELECT 1 FROM UNNEST(reasons) AS one WHERE one = @reason OR STARTS_WITH(one, CONCAT(@reason, ':')))
)
