using System.Text.Json;
using NCrontab;

// Reads a file with a JSON array of questions. Writes for each: null if NCrontab refuses the schedule; else its first runs after the given
// moment, and its longest gap in twice the 28 years after which the calendar repeats. All times are in seconds.
const int Shown = 8;
const int MostCounted = 3000;
var options = new CrontabSchedule.ParseOptions { IncludingSeconds = true };
var calendarStart = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
var questions = JsonSerializer.Deserialize<Question[]>(File.ReadAllText(args[0]), JsonSerializerOptions.Web)!;
Console.Out.Write(JsonSerializer.Serialize(questions.Select(AnswerTo), JsonSerializerOptions.Web));

Answer? AnswerTo(Question question)
{
    try
    {
        var schedule = CrontabSchedule.Parse(question.Text, options);
        var runs = RunsAfter(schedule, DateTime.UnixEpoch.AddSeconds(question.After), 60).Take(Shown).ToArray();
        var counted = RunsAfter(schedule, calendarStart.AddSeconds(-1), 56).Take(MostCounted).ToArray();
        var gaps = counted.Zip(counted.Skip(1), (one, other) => other - one);
        return new Answer(runs, gaps.DefaultIfEmpty(0).Max(), counted.Length == MostCounted);
    }
    // A number beyond 32 bits ends in another error than CrontabException, which the host does not catch either.
    catch (Exception thrown) when (thrown is CrontabException or OverflowException or ArgumentOutOfRangeException)
    {
        return null;
    }
}

static IEnumerable<long> RunsAfter(CrontabSchedule schedule, DateTime after, int years) =>
    schedule.GetNextOccurrences(after, after.AddYears(years)).Select(run => (long)(run - DateTime.UnixEpoch).TotalSeconds);

record Question(string Text, long After);

record Answer(long[] Runs, long LongestGap, bool HasMoreRuns);
