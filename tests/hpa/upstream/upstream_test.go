package upstream

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"
	"testing/synctest"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"
)

var (
	check    = flag.String("check", "", "a file or folder of scenarios: what does upstream answer otherwise?")
	generate = flag.String("generate", "", "the .jsonl file to write")
	count    = flag.Int("scenarios", 1000, "how many to generate")
	seed     = flag.Uint64("seed", 1, "of the random scenarios")
	theme    = flag.String("theme", "", "one of "+strings.Join(Themes, " ")+"; without it, all")
	small    = flag.Bool("small", false, "few pods and ticks, for files that are kept")
)

func TestMain(m *testing.M) {
	flag.Parse()
	klog.LogToStderr(false)
	klog.SetOutput(bytes.NewBuffer(nil))
	utilruntime.ErrorHandlers = nil
	os.Exit(m.Run())
}

func play(t *testing.T, s *Scenario, more func(*player) bool) (err error) {
	synctest.Test(t, func(*testing.T) { err = Play(s, more) })
	return err
}

// TestGenerate writes -scenarios random scenarios with upstream's answers to -generate.
func TestGenerate(t *testing.T) {
	if *generate == "" {
		t.Skip("no -generate FILE")
	}
	file, err := os.Create(*generate)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriterSize(file, 1<<20)
	undefined, size := 0, 0
	for i := range *count {
		for try := uint64(0); ; try++ {
			s, more := Draw(*seed, uint64(i), try, *theme, *small)
			err := play(t, s, more)
			if errors.As(err, &errUndefined{}) {
				undefined++
				continue
			}
			if err != nil {
				text, _ := json.Marshal(s)
				t.Fatalf("%v\n%s", err, text)
			}
			text := line(s)
			size += len(text)
			if _, err := out.Write(text); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	if err := errors.Join(out.Flush(), file.Close()); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("%d scenarios, seed %d, %.1f MB, %d drawn again because upstream leaves their result undefined\n", *count, *seed, float64(size)/1e6, undefined)
}

func line(s *Scenario) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		panic(err)
	}
	return text.Bytes()
}

// TestCheck compares upstream's answers with the expectations of scenario files.
func TestCheck(t *testing.T) {
	if *check == "" {
		t.Skip("no -check PATH")
	}
	passed, failed := 0, 0
	err := filepath.WalkDir(*check, func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".json") && !strings.HasSuffix(path, ".jsonl") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		documents := [][]byte{text}
		if strings.HasSuffix(path, ".jsonl") {
			documents = bytes.Split(bytes.TrimSpace(text), []byte("\n"))
		}
		for i, document := range documents {
			differences := checkOne(t, document)
			if len(differences) == 0 {
				passed++
				continue
			}
			failed++
			for _, d := range differences {
				fmt.Printf("%s:%d: %s\n", path, i+1, d)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		t.Fail()
	}
}

func checkOne(t *testing.T, document []byte) (differences []string) {
	s, given := &Scenario{}, struct {
		Ticks []struct {
			Expect map[string]any `json:"expect"`
		} `json:"ticks"`
	}{}
	if err := errors.Join(json.Unmarshal(document, s), exact(document, &given)); err != nil {
		return []string{err.Error()}
	}
	if err := play(t, s, nil); err != nil {
		return []string{err.Error()}
	}
	for i := range s.Ticks {
		text, _ := json.Marshal(s.Ticks[i].Expect)
		var got map[string]any
		if err := exact(text, &got); err != nil {
			return []string{err.Error()}
		}
		expect := given.Ticks[i].Expect
		keys := make([]string, 0, len(expect))
		for key := range expect {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		for _, key := range keys {
			if !agrees(expect[key], got[key], key) {
				differences = append(differences, fmt.Sprintf("tick %d: %s: upstream says %s, the file %s", i+1, key, show(got[key]), show(expect[key])))
			}
		}
	}
	return differences
}

// agrees: keys that the file leaves out are not compared inside proposals either.
func agrees(want, got any, key string) bool {
	if key != "proposals" {
		return reflect.DeepEqual(want, got)
	}
	a, _ := want.([]any)
	b, _ := got.([]any)
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		answer := b[i].(map[string]any)
		for k, v := range a[i].(map[string]any) {
			if !reflect.DeepEqual(v, answer[k]) {
				return false
			}
		}
	}
	return true
}

func exact(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(into)
}

func show(value any) string {
	text, _ := json.Marshal(value)
	return string(text)
}
