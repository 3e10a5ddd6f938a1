// Copyright 2026 emotion_perception maintainers
// SPDX-License-Identifier: Apache-2.0

#ifndef SMILE_REACTION_CPP__SMILE_TRACKER_HPP_
#define SMILE_REACTION_CPP__SMILE_TRACKER_HPP_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "emotion_perception/msg/emotion_array.hpp"

namespace smile_reaction_cpp
{

/// Whether a face smiles, by a prediction that is certain and new.
inline bool is_smile(const emotion_perception::msg::FaceEmotion & emotion)
{
  constexpr float max_age_s = 0.5F;  // faces take turns where there are many; NaN: no prediction yet
  return emotion.label == emotion_perception::msg::FaceEmotion::HAPPINESS && !emotion.uncertain &&
         emotion.prediction_age_s < max_age_s;
}

/// Tells when a face has smiled for one second, and when it has not smiled for half a second.
///
/// All times are those of the images (header.stamp): they hold in a replay as well.
class SmileTracker
{
public:
  /// Returns what has happened since the message before, one line each.
  std::vector<std::string> update(const emotion_perception::msg::EmotionArray & message)
  {
    const auto & stamp = message.header.stamp;
    const std::int64_t now = std::int64_t{stamp.sec} * 1'000'000'000 + stamp.nanosec;
    const bool begins_again = now < last_;  // a recording
    last_ = now;
    std::vector<std::string> events;
    // first, so that a pause of the messages is no smile
    for (auto entry = smiles_.begin(); entry != smiles_.end(); ) {
      const auto & [track_id, smile] = *entry;
      if (!begins_again && now - smile.last <= ends_after_ns) {
        ++entry;
        continue;
      }
      if (smile.announced) {
        events.push_back("track " + std::to_string(track_id) + " no longer smiles");
      }
      entry = smiles_.erase(entry);
    }
    for (const auto & emotion : message.faces) {
      if (!is_smile(emotion)) {
        continue;
      }
      Smile & smile = smiles_.try_emplace(emotion.face.track_id, Smile{now, now, false}).first->second;
      smile.last = now;
      if (!smile.announced && now - smile.since >= begins_after_ns) {
        smile.announced = true;
        events.push_back("track " + std::to_string(emotion.face.track_id) + " smiles");
      }
    }
    return events;
  }

private:
  struct Smile
  {
    std::int64_t since;
    std::int64_t last;
    bool announced;
  };

  static constexpr std::int64_t begins_after_ns = 1'000'000'000;
  static constexpr std::int64_t ends_after_ns = 500'000'000;

  std::map<std::uint64_t, Smile> smiles_;  // by track_id
  std::int64_t last_ = 0;
};

}  // namespace smile_reaction_cpp

#endif  // SMILE_REACTION_CPP__SMILE_TRACKER_HPP_
