-- How much of what happens when: events by type and minute.
--
-- The minute is the one in which an event happened, so that an event which arrives late counts where it belongs.
--
--@ projection event_volume version 1

--@ create
CREATE TABLE event_volume (
    minute TEXT NOT NULL,
    type TEXT NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (minute, type)
) WITHOUT ROWID;
CREATE VIEW event_volume_by_hour AS
SELECT substr(minute, 1, 13) || ':00Z' AS hour, type, sum(events) AS events
FROM event_volume
GROUP BY 1, 2;

--@ on *
INSERT INTO event_volume (minute, type, events) VALUES (substr($occurred_at, 1, 16) || 'Z', $type, 1)
ON CONFLICT (minute, type) DO UPDATE SET events = events + 1;
