package escape

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
)

// reader is a PHP process that evaluates literals, one a line in base64, and
// answers with what each is, in a form that keeps every byte and type.
const reader = `
function show( $v ) {
	if ( is_array( $v ) ) {
		$out = [];
		foreach ( $v as $k => $m ) { $out[] = [ show( $k ), show( $m ) ]; }
		return [ 'array', $out ];
	}
	if ( is_string( $v ) ) { return [ 'string', bin2hex( $v ) ]; }
	if ( is_float( $v ) ) { return [ 'float', bin2hex( pack( 'E', $v ) ) ]; }
	return [ gettype( $v ), var_export( $v, true ) ];
}
while ( ( $line = fgets( STDIN ) ) !== false ) {
	$code = base64_decode( $line );
	try { $v = show( eval( $code ) ); } catch ( Throwable $e ) { $v = [ 'error', $e->getMessage() ]; }
	echo json_encode( $v, 0, 4096 ), "\n";
}
`

type php struct {
	mu  sync.Mutex
	in  io.WriteCloser
	out *bufio.Reader
}

func startPHP(tb testing.TB) *php {
	tb.Helper()
	program := needs.PHP(tb)
	cmd := exec.Command(program, "-n", "-d", "memory_limit=1G", "-r", reader)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			tb.Errorf("php: %v", err)
		}
	})
	return &php{in: in, out: bufio.NewReader(out)}
}

// eval runs code and returns what it returned, as JSON.
func (p *php) eval(tb testing.TB, code string) string {
	tb.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := fmt.Fprintln(p.in, base64.StdEncoding.EncodeToString([]byte(code))); err != nil {
		tb.Fatal(err)
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// shown is what reader answers for a value.
func shown(value any) any {
	switch v := value.(type) {
	case tenants.Value:
		return shown(v.Data)
	case string:
		return []any{"string", fmt.Sprintf("%x", v)}
	case bool:
		return []any{"boolean", strconv.FormatBool(v)}
	case int64:
		if v == math.MinInt64 {
			return []any{"integer", "-9223372036854775807-1"}
		}
		return []any{"integer", strconv.FormatInt(v, 10)}
	case float64:
		return []any{"float", fmt.Sprintf("%016x", math.Float64bits(v))}
	case []tenants.Value:
		members := []any{}
		for i, m := range v {
			members = append(members, []any{shown(int64(i)), shown(m)})
		}
		return []any{"array", members}
	}
	panic(fmt.Sprintf("%T", value))
}

func checkLiteral(tb testing.TB, p *php, value any) {
	tb.Helper()
	literal, err := PHP(value)
	if err != nil {
		tb.Fatal(err)
	}
	want, err := json.Marshal(shown(value))
	if err != nil {
		tb.Fatal(err)
	}
	if got := p.eval(tb, "return "+literal+";"); got != string(want) {
		tb.Errorf("%.200s is %.200s, want %.200s", literal, got, want)
	}
	if strings.Contains(literal, "\x00") || strings.ContainsAny(strings.Trim(literal, "\n\t"), "\r\x1b") {
		tb.Errorf("%.200q holds control characters", literal)
	}
}

func TestLiterals(t *testing.T) {
	p := startPHP(t)
	for _, s := range needs.Hostile() {
		checkLiteral(t, p, s)
	}
	values := []any{
		true, false, int64(0), int64(-1), int64(math.MaxInt64), int64(math.MinInt64), int64(math.MinInt64 + 1),
		0.0, math.Copysign(0, -1), 1.0, -1.5, 0.1, 1e21, 1e-7, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1), 123456789012345680.0,
		[]tenants.Value{}, []tenants.Value{{Data: "a"}, {Data: int64(1)}, {Data: []tenants.Value{}}, {Data: strings.Repeat("long ", 30)}},
	}
	for _, v := range values {
		checkLiteral(t, p, v)
	}
	deep := tenants.Value{Data: "core"}
	for range 100 {
		deep = tenants.Value{Data: []tenants.Value{deep, {Data: "beside"}}}
	}
	checkLiteral(t, p, deep)
	if got := p.eval(t, "return is_nan( "+must(PHP(math.NaN()))+" );"); got != `["boolean","true"]` {
		t.Error("NaN is", got)
	}
	if got := p.eval(t, "return "+must(PHP(big.NewInt(math.MinInt64)))+" === PHP_INT_MIN;"); got != `["boolean","true"]` {
		t.Error("the smallest integer is", got)
	}
	huge, _ := new(big.Int).SetString("9223372036854775808", 10)
	if _, err := PHP(huge); err == nil {
		t.Error("an integer that PHP can't hold was written")
	}
}

func must(s string, err error) string {
	if err != nil {
		panic(err)
	}
	return s
}

func FuzzPHPString(f *testing.F) {
	p := startPHP(f)
	for _, s := range needs.Hostile() {
		if len(s) < 1000 {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) { checkLiteral(t, p, s) })
}

func FuzzPHPNumber(f *testing.F) {
	p := startPHP(f)
	f.Add(int64(math.MinInt64), uint64(1<<63))
	f.Fuzz(func(t *testing.T, i int64, bits uint64) {
		checkLiteral(t, p, i)
		if x := math.Float64frombits(bits); !math.IsNaN(x) {
			checkLiteral(t, p, x)
		}
	})
}

// FuzzPHPAssign writes a table below a variable and reads it back by its key.
func FuzzPHPAssign(f *testing.F) {
	p := startPHP(f)
	for _, s := range needs.Hostile() {
		if len(s) < 1000 {
			f.Add(s, s, false)
		}
	}
	f.Add("3000", "Foo", true)
	f.Add("-5", "0", false)
	f.Add("9223372036854775808", "-0", true)
	f.Fuzz(func(t *testing.T, key, inner string, whole bool) {
		table := map[string]tenants.Value{key: {Data: map[string]tenants.Value{inner: {Data: int64(42)}}}}
		var w Code
		if err := w.Assign("$wgX", tenants.Value{Data: table}, whole); err != nil {
			t.Fatal(err)
		}
		// PHP's own conversion of the keys is the measure.
		code := w.String() + fmt.Sprintf("\nreturn $wgX === [ hex2bin( '%x' ) => [ hex2bin( '%x' ) => 42 ] ];", key, inner)
		if got := p.eval(t, "unset( $wgX );\n"+code); got != `["boolean","true"]` {
			t.Errorf("%s is %s", code, got)
		}
	})
}

// FuzzPHPComment runs a comment before a statement that must be run as it is.
func FuzzPHPComment(f *testing.F) {
	p := startPHP(f)
	for _, s := range needs.Hostile() {
		if len(s) < 1000 {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Comment(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range []string{"# " + c + "\nreturn 'after';", "/* " + c + " */ return 'after';"} {
			if got := p.eval(t, code); got != `["string","6166746572"]` {
				t.Errorf("%q gives %s", code, got)
			}
		}
		if !utf8.ValidString(c) || strings.ContainsAny(c, "\r\n\x00") || strings.HasSuffix(c, `\`) {
			t.Errorf("%q can do harm", c)
		}
	})
}

func TestExpressions(t *testing.T) {
	p := startPHP(t)
	for code, want := range map[string]string{
		"60 * 60": `["integer","3600"]`, " PHP_INT_SIZE ": `["integer","8"]`, "'; # not a comment'": `["string","3b2023206e6f74206120636f6d6d656e74"]`,
		"( static function () { return 1; } )()": `["integer","1"]`, `"a;b"`: `["string","613b62"]`, "[ 'a' ]": `["array",[[["integer","0"],["string","61"]]]]`,
	} {
		literal, err := PHP(tenants.PHP(code))
		if got := ""; err != nil {
			t.Errorf("%s: %v", code, err)
		} else if got = p.eval(t, "return "+literal+";"); got != want {
			t.Errorf("%s is %s, want %s", code, got, want)
		}
	}
	for _, code := range []string{
		"1; system('id')", "1 // x", "1 # x", "1 /* x", "1 ?> x", "f(", "f)", "'open", "", " ", "<<<X\nX", "[ 1, 2", "( 1 ]", `"open`, "}; echo 1; {",
	} {
		if got, err := PHP(tenants.PHP(code)); err == nil {
			t.Errorf("%q is taken as %s", code, got)
		}
	}
}
