{# Which rejected rows are meant. Parameters, each empty for all: feed, loads (comma-separated ids),
   reason. #}
(@feed = '' OR feed = @feed)
AND (@loads = '' OR load_id IN UNNEST(SPLIT(@loads)))
AND (
  @reason = ''
  OR EXISTS (SELECT 1 FROM UNNEST(reasons) AS one WHERE one = @reason OR STARTS_WITH(one, CONCAT(@reason, ':')))
)
