{# Which loads are meant: with an event from `last` on. Parameters: last; feed and state, each empty for all. #}
last_event_time >= @last AND (@feed = '' OR feed = @feed) AND (@state = '' OR state = @state)
