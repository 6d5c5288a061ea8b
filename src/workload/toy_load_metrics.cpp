#include "workload/toy_load_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <utility>
#include <vector>

#include "prom/process_collector.h"

namespace mpca::workload {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

using Buckets = Histogram::BucketBoundaries;
const Buckets& request_buckets() {
  static const Buckets kBuckets = {.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 15, 20, 30};
  return kBuckets;
}
const Buckets& work_buckets() {
  static const Buckets kBuckets = {.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5};
  return kBuckets;
}

}  // namespace

struct ToyLoadMetrics::Impl {
  /// The series of one method and route, looked up in the library's map once.
  struct Series {
    std::vector<std::pair<int, Counter*>> requests;  // by status; a handful
    Histogram* durations = nullptr;
  };

  explicit Impl(const std::string& the_metrics_path);
  Gauge& gauge(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
  }
  Histogram& histogram(const char* name, const char* help, const Buckets& buckets) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
  }
  Series& series(int method, Route route) {
    return all_series[static_cast<std::size_t>(method)][static_cast<std::size_t>(route)];
  }

  std::string metrics_path;
  prometheus::Registry registry;
  std::shared_ptr<prometheus::Collectable> process = prom::make_process_collector();
  Family<Counter>& requests;
  Family<Histogram>& durations;
  Family<Counter>& errors;
  Family<Counter>& panics;
  Gauge& in_flight;
  Gauge& busy_slots;
  Gauge& queue_length;
  Histogram& queue_wait;
  Histogram& cpu_time;
  Histogram& sleep_time;
  Histogram& jitter_time;
  std::array<std::array<Series, kRoutes>, kMethods> all_series;
};

ToyLoadMetrics::Impl::Impl(const std::string& the_metrics_path)
    : metrics_path(the_metrics_path),
      requests(prometheus::BuildCounter()
                   .Name("toy_http_requests_total")
                   .Help("Requests answered, by method, path and status code.")
                   .Register(registry)),
      durations(prometheus::BuildHistogram()
                    .Name("toy_http_request_duration_seconds")
                    .Help("Time from a request's head to its answer, by method and path.")
                    .Register(registry)),
      errors(prometheus::BuildCounter()
                 .Name("toy_errors_total")
                 .Help("Requests that ended in an error, by path and reason.")
                 .Register(registry)),
      panics(prometheus::BuildCounter()
                 .Name("toy_panics_total")
                 .Help("Requests whose handling failed by a bug, by path.")
                 .Register(registry)),
      in_flight(gauge("toy_in_flight_requests", "Requests to /work that wait or are worked on.")),
      busy_slots(gauge("toy_busy_slots", "Requests to /work that are worked on.")),
      queue_length(gauge("toy_queue_length", "Requests to /work that wait for a free slot.")),
      queue_wait(histogram("toy_queue_wait_seconds", "Time that a request to /work waited for a free slot.",
                           request_buckets())),
      cpu_time(histogram("toy_work_cpu_seconds", "Wall time of burning CPU.", work_buckets())),
      sleep_time(histogram("toy_work_sleep_seconds", "Time slept as asked.", work_buckets())),
      jitter_time(histogram("toy_work_jitter_seconds", "Time slept by chance.", work_buckets())) {}

ToyLoadMetrics::ToyLoadMetrics(const std::string& metrics_path) : impl_(std::make_unique<Impl>(metrics_path)) {}
ToyLoadMetrics::~ToyLoadMetrics() = default;

void ToyLoadMetrics::count_request(int method, Route route, int status, Duration took) {
  Impl::Series& series = impl_->series(method, route);
  Counter* counter = nullptr;
  for (const auto& [known, its_counter] : series.requests) {
    if (known == status) counter = its_counter;
  }
  if (counter == nullptr) {
    const std::string path(label_of(route, impl_->metrics_path));
    const std::string method_label(kMethodLabels[method]);
    counter = &impl_->requests.Add({{"method", method_label}, {"path", path}, {"code", std::to_string(status)}});
    series.requests.emplace_back(status, counter);
    if (series.durations == nullptr) {
      series.durations = &impl_->durations.Add({{"method", method_label}, {"path", path}}, request_buckets());
    }
  }
  counter->Increment();
  series.durations->Observe(to_seconds(took));
}

void ToyLoadMetrics::count_error(Route route, std::string_view reason) {
  impl_->errors.Add({{"path", std::string(label_of(route, impl_->metrics_path))}, {"reason", std::string(reason)}})
      .Increment();
}

void ToyLoadMetrics::count_panic(Route route) {
  impl_->panics.Add({{"path", std::string(label_of(route, impl_->metrics_path))}}).Increment();
}

void ToyLoadMetrics::set_in_flight(int requests) { impl_->in_flight.Set(requests); }
void ToyLoadMetrics::set_busy_slots(int slots) { impl_->busy_slots.Set(slots); }
void ToyLoadMetrics::set_queue_length(std::size_t requests) { impl_->queue_length.Set(static_cast<double>(requests)); }
void ToyLoadMetrics::observe_queue_wait(Duration waited) { impl_->queue_wait.Observe(to_seconds(waited)); }
void ToyLoadMetrics::observe_cpu(Duration burned) { impl_->cpu_time.Observe(to_seconds(burned)); }
void ToyLoadMetrics::observe_sleep(Duration slept) { impl_->sleep_time.Observe(to_seconds(slept)); }
void ToyLoadMetrics::observe_jitter(Duration slept) { impl_->jitter_time.Observe(to_seconds(slept)); }

std::string ToyLoadMetrics::exposition() const {
  std::vector<prometheus::MetricFamily> families = impl_->registry.Collect();
  for (prometheus::MetricFamily& family : impl_->process->Collect()) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace mpca::workload
