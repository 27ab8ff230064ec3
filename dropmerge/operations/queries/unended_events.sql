{# Where those object generations stand, as last_words.sql, that have not ended, as far as journal and ledger say, and each
   feed's newest. Some of the others come along: nothing is decided here. Parameters: since, dispatch_events, newest_before
   (a generation), tables, gone. #}
{% set wanted %}generation IN (
        SELECT j.generation
        FROM `ops.journal` AS j
        LEFT JOIN (
          SELECT DISTINCT load_id FROM ({% include 'ledger.sql' %}) WHERE is_current AND merged_at >= @since
        ) AS l ON l.load_id = j.load_id
        WHERE j.happened_at >= @since AND j.bucket IS NOT NULL AND j.object IS NOT NULL AND j.generation IS NOT NULL
        GROUP BY j.bucket, j.object, j.generation
        HAVING LOGICAL_AND(l.load_id IS NULL) AND COALESCE(
          ANY_VALUE(j.event HAVING MAX IF(j.event IN ('failed', 'discarded', 'undone'), NULL, j.happened_at)), ''
        ) NOT IN ('dead_lettered', 'superseded', 'ignored')
        UNION DISTINCT
        SELECT MAX(generation)
        FROM `ops.journal`
        WHERE happened_at >= @since AND generation < @newest_before
          AND feed IS NOT NULL AND bucket IS NOT NULL AND object IS NOT NULL
        GROUP BY feed
      ){% endset %}
{% include 'last_words.sql' %}
