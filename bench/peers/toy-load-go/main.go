// The peer of toy-load in bench/toy_load.py: the same routes, answers and metrics on Go's net/http and client_golang, as
// one writes it in Go without thinking of speed. For the comparison only.
package main

import (
	"fmt"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var requestBuckets = []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 15, 20, 30}

type server struct {
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	errors    *prometheus.CounterVec
	inFlight  prometheus.Gauge
	cpu       prometheus.Histogram
	sleep     prometheus.Histogram
	jitter    prometheus.Histogram
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// counted answers GET only and counts every request.
func (s *server) counted(path string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &recorder{w, http.StatusOK}
		rec.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if r.Method != http.MethodGet {
			rec.Header().Set("Allow", "GET")
			rec.WriteHeader(http.StatusMethodNotAllowed)
		} else {
			next(rec, r)
		}
		s.requests.WithLabelValues(r.Method, path, strconv.Itoa(rec.status)).Inc()
		s.durations.WithLabelValues(r.Method, path).Observe(time.Since(start).Seconds())
	}
}

func (s *server) work(w http.ResponseWriter, r *http.Request) {
	s.inFlight.Inc()
	defer s.inFlight.Dec()
	query := r.URL.Query()
	values := map[string]int{}
	for name, limit := range map[string]int{"cpu_ms": 5000, "sleep_ms": 5000, "jitter_ms": 5000, "payload_bytes": 1 << 20} {
		text := query.Get(name)
		if text == "" {
			continue
		}
		value, err := strconv.Atoi(text)
		if err != nil {
			s.errors.WithLabelValues("/work", "bad_request").Inc()
			http.Error(w, "invalid "+name, http.StatusBadRequest)
			return
		}
		values[name] = min(max(value, 0), limit)
	}
	errRate := 0.0
	if text := query.Get("err_rate"); text != "" {
		value, err := strconv.ParseFloat(text, 64)
		if err != nil || !(value >= 0 && value <= 1) {
			s.errors.WithLabelValues("/work", "bad_request").Inc()
			http.Error(w, "invalid err_rate", http.StatusBadRequest)
			return
		}
		errRate = value
	}
	if values["cpu_ms"] > 0 {
		start := time.Now()
		for time.Since(start) < time.Duration(values["cpu_ms"])*time.Millisecond && r.Context().Err() == nil {
		}
		s.cpu.Observe(time.Since(start).Seconds())
	}
	pause := func(ms int, histogram prometheus.Histogram) {
		start := time.Now()
		select {
		case <-time.After(time.Duration(ms) * time.Millisecond):
		case <-r.Context().Done():
		}
		histogram.Observe(time.Since(start).Seconds())
	}
	if values["sleep_ms"] > 0 {
		pause(values["sleep_ms"], s.sleep)
	}
	if values["jitter_ms"] > 0 {
		pause(rand.IntN(values["jitter_ms"]), s.jitter)
	}
	if errRate > 0 && rand.Float64() < errRate {
		s.errors.WithLabelValues("/work", "err_rate").Inc()
		http.Error(w, "error", http.StatusInternalServerError)
		return
	}
	if values["payload_bytes"] > 0 {
		fmt.Fprint(w, strings.Repeat("a", values["payload_bytes"]))
		return
	}
	fmt.Fprintf(w, "work: cpu_ms=%d sleep_ms=%d jitter_ms=%d", values["cpu_ms"], values["sleep_ms"], values["jitter_ms"])
}

func main() {
	registry := prometheus.NewRegistry()
	histogram := func(name string) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: name, Buckets: requestBuckets[:12]})
		registry.MustRegister(h)
		return h
	}
	s := &server{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "toy_http_requests_total", Help: "Requests."},
			[]string{"method", "path", "code"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "toy_http_request_duration_seconds",
			Help: "Durations.", Buckets: requestBuckets}, []string{"method", "path"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "toy_errors_total", Help: "Errors."},
			[]string{"path", "reason"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "toy_in_flight_requests", Help: "In flight."}),
		cpu:      histogram("toy_work_cpu_seconds"),
		sleep:    histogram("toy_work_sleep_seconds"),
		jitter:   histogram("toy_work_jitter_seconds"),
	}
	registry.MustRegister(s.requests, s.durations, s.errors, s.inFlight,
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	text := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", s.counted("/healthz", text("ok")))
	mux.HandleFunc("/readyz", s.counted("/readyz", text("ok")))
	mux.HandleFunc("/work", s.counted("/work", s.work))
	mux.HandleFunc("/metrics", s.counted("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP))
	mux.HandleFunc("/", s.counted("other", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.Error(w, "not found", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"service":"toy-load","status":"ok"}`)
	}))

	listener, err := net.Listen("tcp", net.JoinHostPort(os.Getenv("HOST"), os.Getenv("PORT")))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("{\"msg\":\"listening\",\"port\":%d}\n", listener.Addr().(*net.TCPAddr).Port)
	log.Fatal((&http.Server{
		Handler:           mux,
		ReadTimeout:       5 * time.Second,
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      20 * time.Second,
		IdleTimeout:       60 * time.Second,
	}).Serve(listener))
}
