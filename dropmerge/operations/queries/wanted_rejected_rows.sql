{# Which rejected rows are meant. Parameters, each empty for all: feed, objects (a name a line), loads (comma-separated
   ids), reason. #}
(@feed = '' OR feed = @feed)
AND (@objects = '' OR object IN UNNEST(SPLIT(@objects, '\n')))
AND (@loads = '' OR load_id IN UNNEST(SPLIT(@loads)))
AND (
  @reason = ''
  OR EXISTS (SELECT 1 FROM UNNEST(reasons) AS one WHERE one = @reason OR STARTS_WITH(one, CONCAT(@reason, ':')))
)
