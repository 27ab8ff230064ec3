{# Of each object generation the last event, and what was last done with a dead letter of it that was given up (it was
   discarded, or that was undone), which is as old as the dead letter was. Of `failed`, which decides nothing, only where
   there is no other. Beside each: the last feed that the journal names, when the load was last dispatched, and whether a
   service has said anything of it. `wanted`: which events are read. Parameters: since, dispatch_events
   (comma-separated). #}
SELECT bucket, object, generation, feed, event, moment, last_dispatched_at, is_served
FROM (
  SELECT
    * EXCEPT (feed),
    LAST_VALUE(feed IGNORE NULLS) OVER (
      PARTITION BY bucket, object, generation ORDER BY happened_at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS feed,
    MAX(IF(event IN UNNEST(SPLIT(@dispatch_events)), happened_at, NULL))
      OVER (PARTITION BY bucket, object, generation) AS last_dispatched_at,
    LOGICAL_OR(service != 'console') OVER (PARTITION BY bucket, object, generation) AS is_served,
    ROW_NUMBER() OVER (
      PARTITION BY bucket, object, generation, event IN ('discarded', 'undone')
      ORDER BY event = 'failed', moment DESC, happened_at DESC
    ) AS n
  FROM (
    SELECT
      bucket, object, generation, feed, event, service, happened_at,
      IF(
        event IN ('discarded', 'undone'),
        COALESCE(SAFE_CAST(JSON_VALUE(detail, '$.dead_lettered_at') AS TIMESTAMP), happened_at),
        happened_at
      ) AS moment
    FROM `ops.journal`
    WHERE happened_at >= @since AND bucket IS NOT NULL AND object IS NOT NULL AND generation IS NOT NULL
      AND {{ wanted }}
  )
)
WHERE n = 1
ORDER BY happened_at
